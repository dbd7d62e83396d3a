/**
 * Seeds of a simulation in the suite: in blocks, so that a thousand seeds are a few tests. `SIM_SEEDS=20000` runs so many of
 * each world, `SIM_FIRST=10000` from that one on. A failing seed names itself; `SIM_SEED=41 npm test -- tests/simulation` runs it alone and prints every operation.
 */
import { test } from "bun:test";
import { Simulation } from "../../src/platform/simulated/simulation.ts";

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
  const firstSeed = Number(process.env.SIM_FIRST ?? 0);
  const end = firstSeed + Number(process.env.SIM_SEEDS ?? seedsCount);
  const blocks = Array.from(
    { length: Math.ceil((end - firstSeed) / blockSize) },
    (_, block) => firstSeed + block * blockSize,
  );
  test.each(blocks)(`${name}, ${blockSize} seeds from %d`, async (first) => {
    for (let seed = first; seed < Math.min(first + blockSize, end); seed++) await runSeed(seed, false, run);
  }, 300_000);
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
