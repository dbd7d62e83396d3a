// One port has one owner: an address that is taken, or given twice, stops the start with one line that names it.
import { describe, expect, test } from "bun:test";
import { connect } from "node:net";
import { useServers } from "../support/server.ts";

const servers = useServers();

const variables = { tcp: "IGGY_TCP_ADDRESS", websocket: "IGGY_WEBSOCKET_ADDRESS", http: "IGGY_HTTP_ADDRESS" } as const;

describe("an address in use", () => {
  test.each([
    "tcp",
    "websocket",
    "http",
  ] as const)("%s: a second broker does not start beside the first", async (transport) => {
    const first = await servers.start({ shards: 2 });
    const address = `127.0.0.1:${first.portOf(transport)}`;
    const second = await servers.run({ shards: 2, env: { [variables[transport]]: address } });
    expect(second.exitCode).toBe(1);
    const [line, ...rest] = second.stderr.trim().split("\n");
    expect(line).toContain(
      `${transport} cannot listen at 127.0.0.1 port ${first.portOf(transport)}: the address is in use`,
    );
    expect(line).toContain(`(EADDRINUSE); set ${transport}.address`);
    expect(rest).toEqual([]); // no stack
    await first.stop();
  });

  test("another program that holds the port is reported in the same way", async () => {
    const other = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
    const ended = await servers.run({ env: { IGGY_TCP_ADDRESS: `127.0.0.1:${other.port}` } });
    other.stop(true);
    expect(ended.exitCode).toBe(1);
    expect(ended.stderr).toContain(`tcp cannot listen at 127.0.0.1 port ${other.port}: the address is in use`);
  });

  test("QUIC: the reason is said without a stack", async () => {
    const other = await Bun.udpSocket({ hostname: "127.0.0.1", port: 0 });
    const env = { IGGY_QUIC_ENABLED: "true", IGGY_QUIC_ADDRESS: `127.0.0.1:${other.port}` };
    const { exitCode, stdout, stderr } = await servers.run({ env });
    other.close();
    expect(exitCode).toBe(1);
    expect(stdout + stderr).toContain(`QUIC cannot listen at 127.0.0.1:${other.port}`);
    expect(stdout + stderr).not.toContain("at #");
  });

  test("an address of another machine is named with the reason", async () => {
    const ended = await servers.run({ env: { IGGY_HTTP_ADDRESS: "192.0.2.1:3000" } });
    expect(ended.exitCode).toBe(1);
    expect(ended.stderr).toContain(
      "http cannot listen at 192.0.2.1 port 3000: this machine does not have that address",
    );
  });
});

test("connections that a stopped broker left waiting in the system do not keep the next start from its port", async () => {
  const first = await servers.start({ shards: 2 });
  const port = first.portOf("tcp");
  await new Promise<void>((resolve) => connect(port, "127.0.0.1", resolve).on("error", () => undefined));
  await first.kill();
  const second = await servers.start({ shards: 2, env: { IGGY_TCP_ADDRESS: `127.0.0.1:${port}` } });
  expect(second.portOf("tcp")).toBe(port);
  await second.stop();
});
