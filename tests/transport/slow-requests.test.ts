// Clients at the ports of HTTP and WebSocket that never get as far as a request: the runtime's time limit ends them, and what
// they cost meanwhile is little. SLOW_CLIENTS=2000 prints what each kind of them costs.
import { expect, test } from "bun:test";
import { connect } from "node:net";
import { eventually, residentBytes } from "../support/process-facts.ts";
import { useServers } from "../support/server.ts";

const servers = useServers();
const printed = process.env.SLOW_CLIENTS;
const clientsCount = Number(printed ?? 300);
/** Below the limit of a head, 16 KiB. */
const longHead = `GET / HTTP/1.1\r\nhost: localhost\r\nx: ${"y".repeat(12_000)}`;
const bytesMax = 64 * 1024;
const lineMs = 1000;

interface Kind {
  readonly name: string;
  readonly isTls: boolean;
  readonly bytes: Uint8Array;
}

const kinds: readonly Kind[] = [
  { name: "nothing", isTls: false, bytes: new Uint8Array(0) },
  { name: "half of a long head", isTls: false, bytes: Buffer.from(longHead) },
  { name: "no TLS handshake", isTls: true, bytes: new Uint8Array(0) },
  { name: "half of a TLS handshake", isTls: true, bytes: Buffer.from("16030102000100", "hex") },
];

// All wait for the same ten seconds or so, each kind at a server of its own.
test.concurrent.each(
  kinds,
)("$name: who does not get to a request is closed, and costs little meanwhile", async (kind) => {
  const isOn = String(kind.isTls);
  const env = { IGGY_HTTP_TLS_ENABLED: isOn, IGGY_WEBSOCKET_TLS_ENABLED: isOn };
  const server = await servers.start({ shards: 2, env });
  const before = residentBytes(server.pid);
  let closedCount = 0;
  let openCount = 0;
  const ports = [server.portOf("http"), server.portOf("websocket")];
  const sockets = Array.from({ length: clientsCount }, (_, index) => {
    const socket = connect({ host: server.host, port: ports[index % ports.length]! }, () => {
      openCount++;
      socket.write(kind.bytes);
    });
    socket.on("error", () => undefined).on("close", () => closedCount++);
    return socket.resume();
  });
  await eventually(
    "all are there",
    () => openCount,
    (count) => count === clientsCount,
  );
  await Bun.sleep(lineMs);
  const heldCount = clientsCount - closedCount;
  const bytes = (residentBytes(server.pid) - before) / clientsCount;
  if (printed !== undefined) console.log(`${kind.name}: ${Math.round(bytes / 1024)} KiB each, ${heldCount} held`);
  expect(bytes).toBeLessThan(bytesMax);
  await eventually(
    "all are closed",
    () => closedCount,
    (count) => count === clientsCount,
  );
  for (const socket of sockets) socket.destroy();
}, 120_000);
