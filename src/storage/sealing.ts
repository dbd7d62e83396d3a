import { DiskError, isFailedSync } from "../platform/disk.ts";
import type { PartitionLog } from "./partition-log.ts";
import { giveReservedBack } from "./reserve.ts";
import type { Segment } from "./segment.ts";
import { syncIndex, syncLog } from "./sync-files.ts";

/** Syncs of sealed segments, off the event loop. A sync that fails fences the partition; one that cannot begin is left. */
export class Sealing {
  readonly #log: PartitionLog;
  readonly #running = new Set<Promise<void>>();

  constructor(log: PartitionLog) {
    this.#log = log;
  }

  start(segment: Segment): void {
    const sealing = this.#seal(segment).finally(() => this.#running.delete(sealing));
    this.#running.add(sealing);
  }

  /** Resolves when none is under way. */
  async idle(): Promise<void> {
    await Promise.all(this.#running);
  }

  async #seal(segment: Segment): Promise<void> {
    try {
      giveReservedBack(this.#log.context.files, segment);
      await syncLog(this.#log, segment);
      await syncIndex(this.#log, segment);
    } catch (thrown) {
      if (segment.isRemoved) return;
      if (!(thrown instanceof DiskError) || isFailedSync(thrown)) this.#log.fence(thrown);
      else this.#log.context.log.warn("sealed segment not synced yet", { path: thrown.path, error: thrown.message });
    }
  }
}
