// Repeats a test for seeded inputs: WHIPPET_FUZZ_TIMES=10 multiplies them, WHIPPET_FUZZ_SEED=2 gives others.
import { type Random, seededRandom } from "../../src/platform/random.ts";
import { fuzzSeed, fuzzTimes } from "./anonymous-inputs.ts";

/** Repeats `once` with one sequence of chance, and says after how many inputs it failed. */
export async function forInputs(count: number, once: (random: Random) => void | Promise<void>): Promise<void> {
  const random = seededRandom(fuzzSeed);
  for (let input = 0; input < count * fuzzTimes; input++) {
    try {
      const result = once(random);
      if (result !== undefined) await result;
    } catch (cause) {
      throw new Error(`seed ${fuzzSeed}, input ${input}`, { cause });
    }
  }
}
