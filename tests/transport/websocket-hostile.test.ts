// Bytes that no client sends: the connection may end, nothing else may.
import { expect, test } from "bun:test";
import { CommandCode } from "../../src/protocol/codes.ts";
import { eventually } from "../support/process-facts.ts";
import { encodeFrame, Opcode, RawWebSocket } from "../support/raw-websocket.ts";
import { useServers } from "../support/server.ts";
import { WireClient } from "../support/wire-client.ts";

const servers = useServers();

/** The same bytes in every run (mulberry32). */
function makeRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function randomBytes(random: () => number, size: number): Uint8Array {
  return Uint8Array.from({ length: size }, () => Math.floor(random() * 256));
}

const hostile: Readonly<Record<string, (random: () => number) => Uint8Array>> = {
  "bytes that are no frames": (random) => randomBytes(random, 200),
  "random requests": (random) => encodeFrame(Opcode.binary, randomBytes(random, 1 + Math.floor(random() * 500))),
  "requests with random codes and short lengths": (random) => {
    const request = randomBytes(random, 8 + Math.floor(random() * 60));
    new DataView(request.buffer).setUint32(0, Math.floor(random() * 80), true);
    new DataView(request.buffer).setUint32(4, Math.floor(random() * 700), true);
    return encodeFrame(Opcode.binary, request);
  },
  "frames of random kinds": (random) =>
    encodeFrame(Math.floor(random() * 16), randomBytes(random, Math.floor(random() * 200)), {
      isFinal: random() < 0.7,
      isMasked: random() < 0.9,
    }),
  "an announced length of terabytes": (random) => {
    const frame = encodeFrame(Opcode.binary, randomBytes(random, 70_000)).slice();
    frame.fill(0x10, 2, 10);
    return frame;
  },
};

test.each(Object.keys(hostile))("%s end their own connection at most", async (name) => {
  const server = await servers.start({ shards: 2 });
  const place = { host: server.host, port: server.portOf("websocket") };
  const calm = await WireClient.connect(place, "sdk", { transport: "websocket" });
  await calm.login();
  const random = makeRandom(7);
  for (let client = 0; client < 25; client++) {
    const socket = await RawWebSocket.connect(place);
    for (let count = 0; count < 20 && !socket.hasEnded; count++) socket.write(hostile[name]!(random));
    if (client % 2 === 0) socket.destroy();
    else setTimeout(() => socket.destroy(), 50);
    expect((await calm.request(CommandCode.ping)).status).toBe(0);
  }
  const admin = await server.connect();
  await eventually(
    "both calm clients are left",
    () => admin.getClients(),
    (clients) => clients.length === 2,
  );
  admin.close();
  calm.close();
  await server.stop();
  expect(server.log).not.toMatch(/ERROR/);
}, 120_000);
