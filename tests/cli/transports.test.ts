// The command over every transport, against a server of its own, and what `-d` writes.

import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { useServers } from "../support/server.ts";
import { Whippet } from "./whippet.ts";

setDefaultTimeout(120_000);

const servers = useServers();

describe("over every transport", () => {
  test("the same commands do the same", async () => {
    const server = await servers.start({ env: { IGGY_QUIC_ENABLED: "true" } });
    const ca = join(server.dataPath, "certificates/cert.pem");
    const place = (transport: "tcp" | "websocket" | "quic" | "http") => `127.0.0.1:${server.portOf(transport)}`;
    const whippet = new Whippet();
    const transports: [name: string, options: string][] = [
      ["tcp", `--transport tcp --tcp-server-address ${place("tcp")}`],
      ["ws", `--transport ws --websocket-server-address ${place("websocket")}`],
      ["http", `--transport http --http-api-url http://${place("http")}`],
      ["quic", `--transport quic --quic-server-address ${place("quic")} --ca ${ca}`],
    ];
    for (const [name, options] of transports) {
      const run = (line: string) => whippet.line(`-u iggy -p iggy ${options} ${line}`);
      expect([name, await run(`stream create ${name}`)]).toEqual([
        name,
        {
          exitCode: 0,
          stdout: "",
          stderr: expect.stringMatching(new RegExp(`^Created stream ${name} \\(id \\d\\)\\.\n$`)),
        },
      ]);
      await run(`topic create ${name} events 1 none`);
      expect((await run(`message send -p 0 ${name} events hello`)).stderr).toBe(
        `Sent 1 message to ${name}/events, partition 0.\n`,
      );
      const { stdout } = await run(`message poll --first ${name} events 0 --format ndjson`);
      expect([name, JSON.parse(stdout || "{}").payload]).toEqual([name, "hello"]);
    }
    const names = JSON.parse((await whippet.line(`-u iggy -p iggy ${transports[0]?.[1]} stream list --json`)).stdout);
    expect(names.map(({ name }: { name: string }) => name)).toEqual(["tcp", "ws", "http", "quic"]);

    const distrusted = await whippet.line(
      `-u iggy -p iggy --transport quic --quic-server-address ${place("quic")} --insecure me`,
    );
    expect([distrusted.exitCode, distrusted.stderr]).toEqual([
      2,
      "whippet: QUIC always checks the certificate: trust it with --ca cert.pem\n",
    ]);

    const file = join(mkdtempSync(join(tmpdir(), "whippet-debug-")), "debug.log");
    await whippet.line(`-d ${file} -u iggy -p iggy ${transports[0]?.[1]} user create ann sesame`);
    const log = readFileSync(file, "utf8");
    expect(log).toMatch(/^\S+ connects to iggy:\/\/127\.0\.0\.1:\d+\n/);
    expect(log).toMatch(/createUser \d+ B, sent \S+, \d+\.\d\d ms\n$/);
    expect(log).not.toContain("sesame");
  });
});

test("a port with TLS is known as one, and its certificate can be trusted or not looked at", async () => {
  const server = await servers.start({ env: { IGGY_TCP_TLS_ENABLED: "true" } });
  const address = `localhost:${server.portOf("tcp")}`;
  const whippet = new Whippet();
  const plain = await whippet.line(`-u iggy -p iggy --url iggy://${address} me --timeout 5s`);
  expect([plain.exitCode, plain.stderr]).toEqual([
    3,
    `whippet: ${address} speaks TLS; try --url iggy+tls://${address} --ca cert.pem\n`,
  ]);
  const untrusted = await whippet.line(`-u iggy -p iggy --url iggy+tls://${address} me`);
  expect([untrusted.exitCode, untrusted.stderr.split("\n")[0]]).toEqual([
    3,
    `whippet: the certificate of ${address} is not trusted`,
  ]);
  const ca = join(server.dataPath, "certificates/cert.pem");
  for (const option of ["--insecure", `--ca ${ca}`]) {
    const { exitCode, stderr } = await whippet.line(`-u iggy -p iggy --url iggy+tls://${address} me ${option}`);
    expect([option, exitCode, stderr]).toEqual([option, 0, ""]);
  }
  const misnamed = await whippet.line(
    `-u iggy -p iggy --url iggy+tls://${address}?tls_domain=broker.example --ca ${ca} me`,
  );
  expect([misnamed.exitCode, misnamed.stderr.split("\n")[0]]).toEqual([
    3,
    `whippet: the certificate of ${address} is not for the name broker.example`,
  ]);
  expect(await whippet.line(`-u iggy -p iggy --url iggy+tls://${address} --ca ${import.meta.path} me`)).toEqual({
    exitCode: 2,
    stdout: "",
    stderr: `whippet: the file ${import.meta.path} of --ca has no certificate in PEM\n`,
  });
});
