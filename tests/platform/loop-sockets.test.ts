// The connections of a port as the system lists them for the event loop of a thread, and what it has received on each.
import { expect, test } from "bun:test";
import { connect, createServer, type Socket } from "node:net";
import { networkInterfaces } from "node:os";
import { type AcceptedSocket, LoopSockets } from "../../src/platform/loop-sockets.ts";
import { canonical } from "../../src/platform/socket-facts.ts";
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

/** By the other end. */
async function connectionsAt(sockets: LoopSockets, port: number) {
  const found = new Map<string, AcceptedSocket & { readonly receivedBytes: number | undefined }>();
  for await (const some of sockets.at(port)) {
    for (const socket of some) {
      found.set(socket.peer, { ...socket, receivedBytes: sockets.trafficOf(socket)?.receivedBytes });
    }
  }
  return found;
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
    const sockets = LoopSockets.open()!;
    const counts = async () => {
      const found = await connectionsAt(sockets, port);
      return addresses.map((address) => found.get(canonical(address))?.receivedBytes);
    };
    await eventually("all bytes", counts, (found) => found[2] === 100_000);
    expect(await counts()).toEqual([1, 1000, 100_000]);
    clients[0]?.write(new Uint8Array(9));
    await eventually("what came later", counts, (found) => found[0] === 10);
    expect((await connectionsAt(sockets, port === 1 ? 2 : 1)).size).toBe(0);
    close();
    await eventually(
      "nothing",
      () => connectionsAt(sockets, port),
      ({ size }) => size === 0,
    );
    sockets.close();
    expect((await connectionsAt(sockets, port)).size).toBe(0);
  },
);

test.skipIf(process.platform !== "linux")("many connections: the event loop turns while they are listed", async () => {
  const { port, addresses, close } = await start(
    "127.0.0.1",
    "127.0.0.1",
    Array.from({ length: 200 }, () => 1),
  );
  const sockets = LoopSockets.open()!;
  let turnsCount = 0;
  const turn = () => {
    turnsCount++;
    immediate = setImmediate(turn);
  };
  let immediate = setImmediate(turn);
  let largest = 0;
  const found: string[] = [];
  for await (const some of sockets.at(port)) {
    largest = Math.max(largest, some.length);
    found.push(...some.map(({ peer }) => peer));
  }
  clearImmediate(immediate);
  expect(new Set(found)).toEqual(new Set(addresses));
  expect(largest).toBeLessThanOrEqual(128);
  expect(turnsCount).toBeGreaterThan(400 / 128);
  sockets.close();
  close();
});

test.skipIf(process.platform !== "linux")(
  "a connection is ended, unless its descriptor is another's by now",
  async () => {
    const { port, addresses, clients, close } = await start("127.0.0.1", "127.0.0.1", [1, 1]);
    const sockets = LoopSockets.open()!;
    const [first, second] = addresses.map((address) => connectionsAt(sockets, port).then((all) => all.get(address)!));
    const [kept, ended] = await Promise.all([first!, second!]);
    let keptEnds = 0;
    clients[0]!.on("end", () => keptEnds++).resume();
    const hasEnded = new Promise<void>((resolve) => clients[1]!.once("end", resolve).resume());
    sockets.end({ fd: kept.fd, peer: ended.peer }); // its descriptor is that of a connection of somebody else
    sockets.end(ended);
    await hasEnded;
    expect(keptEnds).toBe(0);
    expect((await connectionsAt(sockets, port)).has(kept.peer)).toBe(true);
    sockets.close();
    close();
  },
);
