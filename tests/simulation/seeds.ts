/**
 * Seeds of a simulation in the suite: in blocks, so that a thousand seeds are a few tests. A failing seed names itself;
 * `SIM_SEED=41 npm test -- tests/simulation` runs it alone and prints every operation.
 */
import { test } from "bun:test";
import { Simulation } from "./simulation.ts";

/** What happened so far, for the report of a failure. */
export class Trace {
  readonly #isPrinted: boolean;
  readonly #lines: string[] = [];

  constructor(isPrinted: boolean) {
    this.#isPrinted = isPrinted;
  }

  add(line: string): void {
    this.#lines.push(line);
    if (this.#isPrinted) console.log(line);
  }

  /** The last lines. */
  tail(): string {
    return this.#lines.slice(-12).join("\n  ");
  }
}

/** Declares the tests. `run` must be repeatable: all chance from the simulation. */
export function testSeeds(
  name: string,
  seedsCount: number,
  blockSize: number,
  run: (simulation: Simulation, trace: Trace) => Promise<void>,
): void {
  const replayed = process.env.SIM_SEED;
  if (replayed !== undefined) {
    test(`${name}, seed ${replayed} alone`, () => runSeed(Number(replayed), true, run), 60_000);
    return;
  }
  const blocks = Array.from({ length: Math.ceil(seedsCount / blockSize) }, (_, block) => block * blockSize);
  test.each(blocks)(`${name}, ${blockSize} seeds from %d`, async (first) => {
    for (let seed = first; seed < Math.min(first + blockSize, seedsCount); seed++) await runSeed(seed, false, run);
  }, 120_000);
}

async function runSeed(
  seed: number,
  isPrinted: boolean,
  run: (simulation: Simulation, trace: Trace) => Promise<void>,
): Promise<void> {
  const trace = new Trace(isPrinted);
  try {
    await run(new Simulation(seed), trace);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`SIM_SEED=${seed}: ${reason}\nlast operations:\n  ${trace.tail()}`, { cause: error });
  }
}
