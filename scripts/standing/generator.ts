// The strangers of idle-flood.ts, in a process of their own: connections that never log in, over one transport other than
// QUIC, and connections that guess passwords over TCP. One line of JSON when the last connection is made; then it keeps them
// until its stdin ends.
import { parseArgs } from "node:util";
import { encode } from "../../src/protocol/codec.ts";
import { CommandCode } from "../../src/protocol/codes.ts";
import { commandCodecs } from "../../src/protocol/registry.ts";
import { type FloodTransport, IdleFlood, sourceAddress } from "../../tests/security/idle-flood.ts";
import { WireClient } from "../../tests/support/wire-client.ts";

const host = "127.0.0.1";
/** Of one connection: an answer that comes at once is not followed by the next guess at once. */
const guessPauseMs = 100;
/** Guesses come from other addresses than the connections that say nothing. */
const firstGuesser = 5000;

const { values } = parseArgs({
  options: {
    transport: { type: "string", default: "none" },
    port: { type: "string", default: "0" },
    "guess-port": { type: "string", default: "0" },
    count: { type: "string", default: "0" },
    "per-second": { type: "string", default: "500" },
    guessers: { type: "string", default: "0" },
    addresses: { type: "string", default: "1000" },
  },
});

let isOver = false;
let guessesCount = 0;

/** Guesses until the process ends, on one connection after the other. */
async function guess(index: number): Promise<void> {
  const place = { host, port: Number(values["guess-port"]) };
  for (let attempt = 0; !isOver; attempt++) {
    const request = { username: "iggy", password: `guess ${attempt}`, version: undefined, context: undefined };
    const payload = encode(commandCodecs.loginUser.request, request);
    try {
      const client = await WireClient.connect(place, "sdk", { localAddress: sourceAddress(firstGuesser + index) });
      while (!isOver && !client.hasEnded) {
        await client.request(CommandCode.loginUser, payload);
        guessesCount++;
        await Bun.sleep(guessPauseMs);
      }
      client.close();
    } catch {
      await Bun.sleep(guessPauseMs); // closed or refused: comes again
    }
  }
}

for (let index = 0; index < Number(values.guessers); index++) void guess(index);
let flood: IdleFlood | undefined;
if (values.transport !== "none") {
  flood = new IdleFlood({
    transport: values.transport as FloodTransport,
    host,
    port: Number(values.port),
    perSecond: Number(values["per-second"]),
    addressesCount: Number(values.addresses),
  });
  await flood.open(Number(values.count));
  console.log(JSON.stringify({ ...flood.counts, held: flood.heldCount, guesses: guessesCount }));
}
for await (const _ of Bun.stdin.stream()); // its end is the word to stop
isOver = true;
flood?.close();
process.exit(0);
