// What the metadata say of one partition, for storage: which log its files must be of. Numbers are given again, so what lies
// in its directory may be of another partition, or from before a purge.
import { isRemovedLog, type MetadataState } from "../metadata/index.ts";
import { legacyLogId, type PartitionIdentity } from "../storage/index.ts";
import { splitPartitionKey } from "./placement.ts";

/** Very many of these exist: no closures. */
export class PartitionPlace implements PartitionIdentity {
  readonly logId: string | undefined;
  readonly #state: MetadataState;
  readonly #partitionKey: number;

  constructor(state: MetadataState, partitionKey: number, logId: string | undefined) {
    this.#state = state;
    this.#partitionKey = partitionKey;
    this.logId = logId;
  }

  isRemoved(logId: string): boolean {
    return isRemovedLog(this.#state, splitPartitionKey(this.#partitionKey), logId === legacyLogId ? undefined : logId);
  }

  groupLogId(groupNumber: number): string | undefined | null {
    const { streamId, topicId } = splitPartitionKey(this.#partitionKey);
    const group = this.#state.streams.byId.get(streamId)?.topics.byId.get(topicId)?.groups.byId.get(groupNumber);
    return group === undefined ? null : group.logId;
  }
}
