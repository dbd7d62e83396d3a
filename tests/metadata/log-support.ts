// Logs in memory with known content, for the tests of the metadata log.
import type { MetadataCipher } from "../../src/metadata/cipher.ts";
import type { MetadataEvent } from "../../src/metadata/events.ts";
import { MetadataLog, type MetadataLogOptions } from "../../src/metadata/log.ts";
import type { Disk } from "../../src/platform/disk.ts";
import { directory, filesOf, newDisk, textOf } from "./support.ts";

export function openLog(disk: Disk, options: Partial<MetadataLogOptions> = {}) {
  return MetadataLog.open({
    disk,
    directory,
    enforceFsync: false,
    onSnapshotFailure: (error) => {
      throw error;
    },
    ...options,
  });
}

/** `count` events that each change the state: streams, topics and a deletion every tenth. */
export function sampleEvents(count: number): MetadataEvent[] {
  return Array.from({ length: count }, (_, step): MetadataEvent => {
    const id = Math.floor(step / 10) * 9 + (step % 10);
    if (step % 10 === 9) return { kind: "streamDeleted", streamId: id - 1 };
    return { kind: "streamCreated", streamId: id, name: `stream-${id}`, createdAtMicros: 1_750_000_000_000_000 + step };
  });
}

/** Text of the state after 0, 1, 2, … of `events`. */
export function prefixTexts(events: readonly MetadataEvent[]): string[] {
  const { log } = openLog(newDisk(), { snapshotEveryEntries: Number.POSITIVE_INFINITY });
  const texts = [textOf(log.state)];
  for (const event of events) {
    log.append(event);
    texts.push(textOf(log.state));
  }
  return texts;
}

/** The files after all `events` were appended, with a snapshot every `snapshotEveryEntries`. */
export function filesAfter(
  events: readonly MetadataEvent[],
  snapshotEveryEntries: number,
  cipher?: MetadataCipher,
): Record<string, Uint8Array> {
  const disk = newDisk();
  const { log } = openLog(disk, { snapshotEveryEntries, cipher });
  for (const event of events) log.append(event);
  log.close();
  return filesOf(disk);
}
