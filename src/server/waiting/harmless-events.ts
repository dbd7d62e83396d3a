// Changes of the metadata after which nobody who waits for messages waits for something else, or may have less.
import type { MetadataEvent } from "../../metadata/index.ts";

const harmless: ReadonlySet<MetadataEvent["kind"]> = new Set([
  "streamCreated",
  "streamUpdated",
  "streamPurged", // the owners of the partitions tell
  "topicCreated",
  "topicUpdated",
  "topicPurged",
  "groupCreated",
  "userCreated",
  "tokenCreated",
  "removalsFinished",
]);

export function isHarmlessForReaders({ kind }: MetadataEvent): boolean {
  return harmless.has(kind);
}
