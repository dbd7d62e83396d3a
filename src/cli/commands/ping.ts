// `whippet ping`: how long the server takes to answer.

import { type Command, serverCommand } from "../command.ts";
import { optionOr } from "../parameters.ts";
import { integer } from "../values.ts";

/** Between two pings, as in the original. */
const pauseMs = 1_000;

const ping = serverCommand({
  words: ["ping"],
  summary: "Measure how long the server takes to answer",
  details: "No login is needed. With --format ndjson there is one line for each ping, as it comes.",
  examples: ["ping", "ping -c 5", "--url iggy+ws://127.0.0.1:8092 ping"],
  needs: "connection",
  options: {
    count: optionOr("-c, --count <COUNT>", integer(1, 1_000_000), 1, "How many times, one a second (1)"),
  },
  async run(client, { count }, output, session) {
    const { signal } = session;
    const { address, transport } = await session.target();
    const times: number[] = [];
    while (times.length < count && !signal.aborted) {
      if (times.length > 0) await Bun.sleep(pauseMs);
      const startedAtMs = performance.now();
      await client.ping();
      const ms = performance.now() - startedAtMs;
      times.push(ms);
      if (output.format === "ndjson")
        await output.object({ address, transport, sequence: times.length, ms: rounded(ms) });
    }
    if (output.format === "ndjson") return;
    const texts = times.map((ms) => `${ms.toFixed(2)} ms`);
    await output.show({
      document: { address, transport, times_ms: times.map(rounded) },
      shown: [[`${address} ${transport}`, ...texts].join("   ")],
      list: times.map((ms, index) => [index + 1, ms.toFixed(2)]),
    });
  },
});

function rounded(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}

export const commands: readonly Command[] = [ping];
