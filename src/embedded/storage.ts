// Where a broker inside a test keeps its data: in memory, in a directory that goes with it, or in one that stays.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Config } from "../config/schema/index.ts";
import type { DirectoryLock } from "../platform/directory-lock.ts";
import type { Disk } from "../platform/disk.ts";
import { realDisk } from "../platform/real-disk.ts";
import { SimDisk } from "../platform/simulated/sim-disk.ts";
import { Simulation } from "../platform/simulated/simulation.ts";
import { DataDirectoryError, prepareDataDirectory } from "../process/data-directory.ts";
import type { BrokerOptions } from "../spawn/broker.ts";

export interface BrokerStorage {
  /** The data directory. */
  readonly path: string;
  /** Whether what is stored may outlive the test: then passwords are hashed as in the server. */
  readonly isKept: boolean;
  /** Whether what was not synced can be taken away. */
  readonly canLose: boolean;
  /** Before a start. Rejects with DataDirectoryError, DirectoryLockedError. */
  open(config: Config): Promise<Disk>;
  /** After an orderly stop. */
  close(): void;
  /** After a kill. `losesUnsynced`: the power went with it. */
  killed(losesUnsynced: boolean): void;
  /** Nobody needs it any more. */
  remove(): void;
}

export function storageOf(wanted: NonNullable<BrokerOptions["storage"]>): BrokerStorage {
  if (wanted === "memory") return new MemoryStorage();
  if (wanted === "temporary") return new DirectoryStorage(mkdtempSync(join(tmpdir(), "whippet-")), false);
  return new DirectoryStorage(wanted.directory, true);
}

/** What the simulated disk does "some time later" is done in the next turn, by itself. */
class LiveSimulation extends Simulation {
  override schedule(task: () => void): void {
    setImmediate(task);
  }
}

class MemoryStorage implements BrokerStorage {
  readonly path = "/memory";
  readonly isKept = false;
  readonly canLose = true;
  #disk = new SimDisk(new LiveSimulation(1));

  async open({ system }: Config): Promise<Disk> {
    for (const directory of ["state", system.stream.path]) this.#disk.makeDirectory(join(this.path, directory));
    for (const directory of ["/", this.path]) this.#disk.syncDirectory(directory);
    return this.#disk;
  }

  close(): void {
    // It stays as it is.
  }

  killed(losesUnsynced: boolean): void {
    this.#disk = losesUnsynced ? this.#disk.loseUnsynced() : this.#disk.processCrash();
  }

  remove(): void {
    this.#disk = new SimDisk(new LiveSimulation(1));
  }
}

class DirectoryStorage implements BrokerStorage {
  readonly path: string;
  readonly isKept: boolean;
  readonly canLose = false;
  #lock: DirectoryLock | undefined;

  constructor(path: string, isKept: boolean) {
    this.path = path;
    this.isKept = isKept;
  }

  async open(config: Config): Promise<Disk> {
    const { lock, failures } = await prepareDataDirectory(config);
    this.#lock = lock;
    // The server goes on without some of it; a test is better told.
    const [failure] = failures;
    if (failure !== undefined) {
      this.close();
      throw new DataDirectoryError(failure.what, { cause: failure.error });
    }
    return realDisk;
  }

  close(): void {
    this.#lock?.release();
    this.#lock = undefined;
  }

  killed(): void {
    this.close();
  }

  remove(): void {
    this.close();
    if (!this.isKept) rmSync(this.path, { recursive: true, force: true });
  }
}
