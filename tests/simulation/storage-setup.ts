/** A storage context over a simulated disk, with options that the seed picks small enough to meet every border. */
import { DiskError } from "../../src/platform/disk.ts";
import type { SimDisk } from "../../src/platform/simulated/sim-disk.ts";
import type { Simulation } from "../../src/platform/simulated/simulation.ts";
import { FileCache } from "../../src/storage/file-cache.ts";
import { JsBatchKernel } from "../../src/storage/kernel/js-batch-kernel.ts";
import { Partition } from "../../src/storage/partition.ts";
import { ScanMemory } from "../../src/storage/scan-memory.ts";
import type { Acknowledge, PartitionIdentity, StorageContext, StorageOptions } from "../../src/storage/types.ts";
import { batchOf, randomMessages } from "./messages.ts";
import { settled } from "./partition-reader.ts";
import { Trace } from "./seeds.ts";

export function randomOptions(
  simulation: Simulation,
  acknowledge: Acknowledge,
  hasLargeMessages: boolean,
): StorageOptions {
  return {
    acknowledge,
    // The large size is more than recovery looks back behind its checkpoint.
    segmentSizeBytes: hasLargeMessages ? 2_500_000 : simulation.pick([2_000, 10_000, 40_000, 200_000]),
    cacheIndexes: simulation.pick(["all", "open_segment", "none"]),
    messagesRequiredToSave: simulation.pick([1, 20, 200, 1000]),
    bytesRequiredToSave: simulation.pick([512, 10_000, 100_000]),
    enforceFsync: simulation.chance(50),
    validateChecksum: simulation.chance(30),
    openFilesMax: simulation.pick([1, 3, 64]),
  };
}

/** Runs now and then back, as a wall clock may. */
export class SimClock {
  readonly #simulation: Simulation;
  #nowMicros = 1_700_000_000_000_000;

  constructor(simulation: Simulation) {
    this.#simulation = simulation;
  }

  /** As by a time server, or an operator. */
  step(micros: number): void {
    this.#nowMicros += micros;
  }

  nowMicros(): number {
    this.#nowMicros += this.#simulation.chance(3) ? -this.#simulation.between(0, 500) : this.#simulation.between(0, 90);
    return this.#nowMicros;
  }
}

export function createSimContext(
  disk: SimDisk,
  clock: SimClock,
  options: StorageOptions,
  trace: Trace,
): StorageContext {
  const { simulation } = disk;
  const memory = new Uint8Array(simulation.pick([8 * 1024, 64 * 1024, 600 * 1024]));
  const seed = new Uint8Array(32);
  simulation.random.fill(seed);
  const report = (level: string) => (message: string, fields?: Record<string, unknown>) => {
    trace.add(`    ${level}: ${message} ${describe(fields)}`);
  };
  return {
    disk,
    clock,
    elapsed: { nowMicros: () => 0 },
    options,
    files: new FileCache(disk, options.openFilesMax),
    scanMemory: new ScanMemory({
      kernel: new JsBatchKernel(memory, seed),
      memory,
      position: 0,
      sizeBytes: memory.byteLength,
    }),
    log: { info: report("info"), warn: report("warn"), error: report("error") },
    schedule: (flush) => simulation.schedule(flush),
  };
}

/** The disk with an empty data directory, which a power loss leaves there. */
export function withDataDirectory<D extends SimDisk>(disk: D): D {
  disk.makeDirectory("/data");
  disk.syncDirectory("/");
  return disk;
}

/** The one partition of a test, as a process that starts on the disk opens it. */
export function openPartition(disk: SimDisk, options: StorageOptions, identity?: PartitionIdentity): Partition {
  const context = createSimContext(disk, new SimClock(disk.simulation), options, new Trace(false));
  return Partition.open(context, "/data/streams/1/topics/2/partitions/0", () => undefined, identity);
}

/** A batch that the seed picks, answered; how many messages it has. */
export async function appendRandom(partition: Partition, simulation: Simulation, sentCount = 0): Promise<number> {
  const messages = randomMessages(simulation, sentCount, false);
  await settled(simulation, partition.append(batchOf(messages, simulation)));
  return messages.length;
}

function describe(fields: Record<string, unknown> = {}): string {
  return Object.entries(fields)
    .map(([key, value]) => `${key}=${value instanceof DiskError ? value.message : String(value)}`)
    .join(" ");
}
