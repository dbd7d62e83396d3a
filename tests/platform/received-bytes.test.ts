// What the system has received on each connection of a port, found by the other end alone.
import { expect, test } from "bun:test";
import { connect, createServer, type Socket } from "node:net";
import { networkInterfaces } from "node:os";
import { ReceivedBytes } from "../../src/platform/received-bytes.ts";
import { eventually } from "../support/process-facts.ts";

const hasIpv6 = Object.values(networkInterfaces()).some((found) => found?.some(({ address }) => address === "::1"));

/** Clients that have sent so many bytes, and their addresses as a listener tells them. */
async function start(listenHost: string, host: string, sizes: readonly number[]) {
  const peers: Socket[] = [];
  const server = createServer((socket) => peers.push(socket.on("error", () => undefined)));
  await new Promise<void>((resolve) => server.listen(0, listenHost, resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const clients: Socket[] = [];
  for (const size of sizes) {
    const client = connect({ host, port });
    await new Promise<void>((resolve) => client.once("connect", resolve));
    client.write(new Uint8Array(size));
    clients.push(client);
    await eventually(
      "the other end",
      () => peers.length,
      (count) => count === clients.length,
    );
  }
  const addresses = peers.map(({ remoteAddress = "", remotePort }) =>
    remoteAddress.includes(":") ? `[${remoteAddress}]:${remotePort}` : `${remoteAddress}:${remotePort}`,
  );
  const close = () => {
    for (const socket of [...clients, ...peers]) socket.destroy();
    server.close();
  };
  return { port, addresses, clients, close };
}

const places: readonly (readonly [listenHost: string, host: string])[] = [
  ["127.0.0.1", "127.0.0.1"],
  ...(hasIpv6
    ? ([
        ["::1", "::1"],
        ["::", "127.0.0.1"],
      ] as const)
    : []),
];

test.skipIf(process.platform !== "linux").each(places)(
  "listening at %s, asked for clients of %s",
  async (listenHost, host) => {
    const { port, addresses, clients, close } = await start(listenHost, host, [1, 1000, 100_000]);
    const received = new ReceivedBytes(port);
    const counts = () => addresses.map((address) => received.of([address]).get(address));
    await eventually("all bytes", counts, (found) => found[2] === 100_000);
    expect(counts()).toEqual([1, 1000, 100_000]);
    clients[0]?.write(new Uint8Array(9));
    await eventually("what came later", counts, (found) => found[0] === 10);
    expect(received.of(["192.0.2.1:1"]).size).toBe(0);
    expect(new ReceivedBytes(port === 1 ? 2 : 1).of(addresses).size).toBe(0);
    close();
    await eventually(
      "nothing",
      () => received.of(addresses).size,
      (size) => size === 0,
    );
  },
);
