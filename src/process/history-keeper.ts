// Keeps the history of the broker in a file, so that a restart is a gap and not a loss: reads it once, writes it each minute and
// at the stop. A file that is missing or damaged begins anew; one that cannot be written is said and tried again. Nothing of it
// keeps the broker from anything.
import { dirname } from "node:path";
import type { History } from "../observability/history.ts";
import { decodeHistory, encodeHistory, HistoryFileError } from "../observability/history-file.ts";
import type { Logger } from "../observability/log.ts";
import type { Timers } from "../platform/clock.ts";
import { type Disk, DiskError } from "../platform/disk.ts";

export interface HistoryKeeperOptions {
  readonly history: History;
  readonly disk: Disk;
  readonly path: string;
  readonly timers: Timers;
  readonly log: Pick<Logger, "warn">;
}

const saveMs = 60_000;

export class HistoryKeeper {
  readonly #options: HistoryKeeperOptions;
  #stopTimer: () => void = () => undefined;
  #saving: Promise<void> | undefined;
  #hasFailed = false;

  constructor(options: HistoryKeeperOptions) {
    this.#options = options;
  }

  /** Reads what an earlier process has left, before the first sample is taken, and saves from then on. Never rejects. */
  async start(): Promise<void> {
    await this.#load();
    this.#stopTimer = this.#options.timers.every(saveMs, () => void this.save());
  }

  /** Writes what there is; one at a time. Never rejects. */
  save(): Promise<void> {
    this.#saving ??= this.#write()
      .then(
        () => {
          this.#hasFailed = false;
        },
        (error: unknown) => {
          if (!this.#hasFailed) this.#options.log.warn("the history of the console cannot be written", { error });
          this.#hasFailed = true;
        },
      )
      .finally(() => {
        this.#saving = undefined;
      });
    return this.#saving;
  }

  /** Saves a last time. */
  async stop(): Promise<void> {
    this.#stopTimer();
    await this.#saving;
    await this.save();
  }

  /** Saves no more. */
  abandon(): void {
    this.#stopTimer();
  }

  async #load(): Promise<void> {
    const { history, disk, path, log } = this.#options;
    try {
      const file = disk.open(path, "read");
      try {
        const bytes = new Uint8Array(file.sizeBytes());
        const read = await file.readAsync(bytes, 0);
        decodeHistory(bytes.subarray(0, read), history);
      } finally {
        file.close();
      }
    } catch (error) {
      if (error instanceof DiskError && error.errorCode === "ENOENT") return;
      if (!(error instanceof DiskError || error instanceof HistoryFileError)) throw error;
      log.warn("the history of the console cannot be read; it begins anew", { path, error });
    }
  }

  async #write(): Promise<void> {
    const { history, disk, path } = this.#options;
    if (history.lastMs === undefined) return; // nothing is known yet
    const temporary = `${path}.new`;
    disk.makeDirectory(dirname(path));
    const file = disk.open(temporary, "create");
    try {
      file.truncate(0);
      let position = 0;
      for (const part of encodeHistory(history)) {
        file.write([part], position);
        position += part.byteLength;
        await new Promise<void>((resolve) => setImmediate(resolve));
      }
      await file.sync();
    } finally {
      file.close();
    }
    disk.rename(temporary, path);
  }
}
