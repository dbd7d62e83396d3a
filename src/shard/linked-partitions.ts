// Links what the partitions of one shard hold into the directory of a point, one after the other, with a breath between: clients are
// served meanwhile.
import { dirname, join, relative } from "node:path";
import type { Partition } from "../storage/index.ts";
import type { DataPaths } from "./paths.ts";
import { splitPartitionKey } from "./placement.ts";

export interface LinkRequest {
  /** Of the point. */
  readonly directory: string;
}

export interface LinkedPartitions {
  readonly partitionsCount: number;
  /** Keys of those whose files cannot be opened. */
  readonly closedKeys: readonly number[];
}

/** A partition lies in the directory of the point as in the data directory. Rejects with what failed. */
export async function linkPartitions(
  partitions: Iterable<readonly [partitionKey: number, partition: Partition]>,
  paths: DataPaths,
  { directory }: LinkRequest,
): Promise<number> {
  const dataPath = dirname(paths.stateDirectory);
  let count = 0;
  for (const [partitionKey, partition] of [...partitions]) {
    const { streamId, topicId, partitionId } = splitPartitionKey(partitionKey);
    const own = paths.partitionDirectory(streamId, topicId, partitionId);
    partition.linkInto(join(directory, relative(dataPath, own)));
    count++;
    await new Promise((resolve) => setImmediate(resolve));
  }
  return count;
}
