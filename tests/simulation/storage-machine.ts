/** What the partitions of one simulated process share: the disk, the clock, the options, and which faults they may meet. */
import { DiskError } from "../../src/platform/disk.ts";
import { SimDisk } from "../../src/platform/simulated/sim-disk.ts";
import type { Simulation } from "../../src/platform/simulated/simulation.ts";
import { IggyError } from "../../src/protocol/errors.ts";
import type { Acknowledge, MessageCipher, StorageContext, StorageOptions } from "../../src/storage/types.ts";
import type { Trace } from "./seeds.ts";
import { createSimContext, randomOptions, SimClock } from "./storage-setup.ts";
import type { CrashKind } from "./tracked-messages.ts";

/** Not a cipher: as many bytes more as one adds, and other bytes than those given. */
export const simCipher: MessageCipher = {
  overheadBytes: 28,
  encrypt: (bytes) => Uint8Array.from([...new Uint8Array(28).fill(0xc1), ...bytes.map((byte) => byte ^ 0x5a)]),
  decrypt: (bytes) =>
    bytes.byteLength >= 28 && bytes[0] === 0xc1 ? bytes.slice(28).map((byte) => byte ^ 0x5a) : undefined,
};

export class StorageMachine {
  readonly simulation: Simulation;
  readonly trace: Trace;
  readonly options: StorageOptions;
  readonly hasLargeMessages: boolean;
  readonly isEncrypted: boolean;
  readonly clock: SimClock;
  disk: SimDisk;
  context: StorageContext;
  /** A fault was asked of the disk since the partitions were opened: calls may fail. */
  faultsPossible = false;
  /** One of those that end a partition's appends: a sync that fails. */
  failedSyncsPossible = false;

  /** A log that was large before a power loss may be small after it, and keeps its room: nobody looks for any in a small one. */
  hasLostPower = false;

  constructor(simulation: Simulation, trace: Trace, level: Acknowledge) {
    this.simulation = simulation;
    this.trace = trace;
    this.hasLargeMessages = simulation.chance(6);
    this.isEncrypted = simulation.chance(20);
    const deduplication = simulation.chance(15) ? { maxEntries: 0, expiryMicros: 0 } : undefined;
    this.options = { ...randomOptions(simulation, level, this.hasLargeMessages), deduplication };
    trace.add(JSON.stringify({ ...this.options, isEncrypted: this.isEncrypted }));
    this.clock = new SimClock(simulation);
    this.disk = new SimDisk(simulation);
    this.disk.makeDirectory("/data");
    this.disk.syncDirectory("/");
    this.context = this.#createContext();
  }

  get stopped(): boolean {
    return this.disk.stopped;
  }

  /** Another process starts on what a crash left. */
  crash(kind: CrashKind): void {
    this.trace.add(`crash: ${kind}`);
    this.hasLostPower ||= kind === "power";
    this.disk = kind === "power" ? this.disk.crash() : this.disk.processCrash();
    this.startProcess();
  }

  /** Another process starts on a disk that works. */
  startProcess(): void {
    this.faultsPossible = false;
    this.failedSyncsPossible = false;
    this.disk.heal();
    this.context = this.#createContext();
  }

  /** Whether the failure has a fault of the disk as its reason. */
  isExpected(error: unknown): boolean {
    const isOfDisk = error instanceof IggyError || error instanceof DiskError;
    return isOfDisk && (this.faultsPossible || this.stopped);
  }

  #createContext(): StorageContext {
    const { disk, clock, options, trace } = this;
    const context = createSimContext(disk, clock, options, trace);
    if (!this.isEncrypted) return context;
    const makeSeed = () => {
      const seed = new Uint8Array(32);
      this.simulation.random.fill(seed);
      return seed;
    };
    return { ...context, encryption: { cipher: simCipher, makeSeed } };
  }
}
