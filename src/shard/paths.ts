// Where things lie below the data directory (spec SB 3.1).
import { join } from "node:path";
import type { Config } from "../config/schema/index.ts";

export interface DataPaths {
  readonly stateDirectory: string;
  readonly streamsDirectory: string;
  streamDirectory(streamId: number): string;
  topicDirectory(streamId: number, topicId: number): string;
  partitionDirectory(streamId: number, topicId: number, partitionId: number): string;
}

export function dataPaths(system: Config["system"]): DataPaths {
  const streamsDirectory = join(system.path, system.stream.path);
  const streamDirectory = (streamId: number) => join(streamsDirectory, String(streamId));
  const topicDirectory = (streamId: number, topicId: number) =>
    join(streamDirectory(streamId), system.topic.path, String(topicId));
  return {
    stateDirectory: join(system.path, "state"),
    streamsDirectory,
    streamDirectory,
    topicDirectory,
    partitionDirectory: (streamId, topicId, partitionId) =>
      join(topicDirectory(streamId, topicId), system.partition.path, String(partitionId)),
  };
}
