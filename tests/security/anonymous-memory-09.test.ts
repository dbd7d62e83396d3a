// Clients of 0.9 that have not logged in, in every state in which they can leave a connection, hold no more memory than those of
// 0.8 may: a login's worth of bytes that have arrived. What they announce costs nothing, and what they do not read neither.
import { expect, test } from "bun:test";
import { seededRandom } from "../../src/platform/random.ts";
import { HeaderLayout } from "../../src/protocol/v09/headers.ts";
import { Operation, operationFor } from "../../src/protocol/v09/operations.ts";
import { anonymousPayloadBytesMax } from "../../src/transport/session-limits.ts";
import { prepare, serveOthers } from "../fuzz/calm.ts";
import { sendBody } from "../fuzz/inputs-09.ts";
import { requestFrame } from "../protocol/v09/support.ts";
import { growsLessThan, residentBytes } from "../support/process-facts.ts";
import { useServers } from "../support/server.ts";
import { openWire, type Wire } from "../support/wire-client.ts";

const servers = useServers();
const mebibyte = 1024 * 1024;
const clientsCount = 200;
/** What garbage collection leaves lying about, and sockets. */
const runtimeBytes = 40 * mebibyte;

/** The beginning of a request whose body would have `announcedBytes`. */
function begun(operation: number, announcedBytes: number, sent: Uint8Array): Uint8Array {
  const frame = requestFrame({ operation, session: 1n, body: sent });
  new DataView(frame.buffer).setUint32(HeaderLayout.size, 256 + announcedBytes, true);
  return frame;
}

const { register } = Operation;
const send = operationFor("sendMessages");
const ping = requestFrame({ operation: Operation.nonReplicated, code: 1 });
const largest = 64 * mebibyte - 256;

/** What each of them sends, and how much of it the server may keep. */
const states: Readonly<Record<string, { readonly bytes: Uint8Array; readonly keptBytes: number }>> = {
  "four zero bytes": { bytes: new Uint8Array(4), keptBytes: 0 },
  "half a header": { bytes: ping.subarray(0, 200), keptBytes: 0 },
  "a login that lacks its last byte": {
    bytes: begun(register, anonymousPayloadBytesMax, new Uint8Array(anonymousPayloadBytesMax - 1)),
    keptBytes: 2 * anonymousPayloadBytesMax,
  },
  "a body of 16 MiB that is thrown away": {
    bytes: begun(register, 16 * mebibyte, new Uint8Array(mebibyte)),
    keptBytes: 0,
  },
  "a body of 64 MiB": { bytes: begun(register, largest, new Uint8Array(1000)), keptBytes: 0 },
  "the head of a send": { bytes: begun(send, 16 * mebibyte, sendBody(seededRandom(1))), keptBytes: 0 },
  "pings whose answers it does not read": {
    bytes: Buffer.concat(Array.from({ length: 5_000 }, () => ping)),
    // What waits for its turn; the rest stays with the client.
    keptBytes: 384 * 1024,
  },
};

test.each(Object.entries(states))(
  "over TCP and WebSocket: %s",
  async (_name, { bytes, keptBytes }) => {
    const server = await servers.start();
    await prepare(server);
    const open = async (transport: "tcp" | "websocket"): Promise<Wire> => {
      const place = { host: server.host, port: server.portOf(transport) };
      const wire = await openWire(place, { transport }, { onBytes: () => undefined, onEnd: () => undefined });
      wire.pause();
      return wire;
    };
    // The first ones fill what the runtime keeps for itself.
    const wires = [await open("tcp"), await open("websocket")];
    await serveOthers(server);
    const beforeBytes = residentBytes(server.pid);
    for (let index = 0; index < clientsCount; index++) {
      const wire = await open(index % 2 === 0 ? "tcp" : "websocket");
      wire.write(bytes);
      wires.push(wire);
    }
    await serveOthers(server);
    await Bun.sleep(500);
    const grownBytes = residentBytes(server.pid) - beforeBytes;
    console.log(_name, Math.round(grownBytes / mebibyte));
    await growsLessThan(clientsCount * keptBytes + runtimeBytes, () => residentBytes(server.pid), beforeBytes);
    expect(server.log).not.toContain("ERROR");
    for (const wire of wires) wire.destroy();
  },
  120_000,
);
