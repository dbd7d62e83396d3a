// Where things lie below the data directory (spec SB 3.1).
import { join } from "node:path";
import type { Config } from "../config/schema/index.ts";

export interface DataPaths {
  readonly stateDirectory: string;
  readonly streamsDirectory: string;
  streamDirectory(streamId: number): string;
  /** Of all topics of a stream. */
  topicsDirectory(streamId: number): string;
  topicDirectory(streamId: number, topicId: number): string;
  /** Of all partitions of a topic. */
  partitionsDirectory(streamId: number, topicId: number): string;
  partitionDirectory(streamId: number, topicId: number, partitionId: number): string;
}

export function dataPaths(system: Config["system"]): DataPaths {
  const streamsDirectory = join(system.path, system.stream.path);
  const streamDirectory = (streamId: number) => join(streamsDirectory, String(streamId));
  const topicsDirectory = (streamId: number) => join(streamDirectory(streamId), system.topic.path);
  const topicDirectory = (streamId: number, topicId: number) => join(topicsDirectory(streamId), String(topicId));
  const partitionsDirectory = (streamId: number, topicId: number) =>
    join(topicDirectory(streamId, topicId), system.partition.path);
  return {
    stateDirectory: join(system.path, "state"),
    streamsDirectory,
    streamDirectory,
    topicsDirectory,
    topicDirectory,
    partitionsDirectory,
    partitionDirectory: (streamId, topicId, partitionId) =>
      join(partitionsDirectory(streamId, topicId), String(partitionId)),
  };
}
