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

/** The configured names are put in order once: there may be very many partitions, and each asks for its path at every start. */
export function dataPaths(system: Config["system"]): DataPaths {
  const streamsDirectory = withoutEnd(join(system.path, system.stream.path));
  const topics = withoutEnd(join("/", system.topic.path));
  const partitions = withoutEnd(join("/", system.partition.path));
  const streamDirectory = (streamId: number) => `${streamsDirectory}/${streamId}`;
  const topicsDirectory = (streamId: number) => streamDirectory(streamId) + topics;
  const topicDirectory = (streamId: number, topicId: number) => `${topicsDirectory(streamId)}/${topicId}`;
  const partitionsDirectory = (streamId: number, topicId: number) => topicDirectory(streamId, topicId) + partitions;
  return {
    stateDirectory: join(system.path, "state"),
    streamsDirectory,
    streamDirectory,
    topicsDirectory,
    topicDirectory,
    partitionsDirectory,
    partitionDirectory: (streamId, topicId, partitionId) => `${partitionsDirectory(streamId, topicId)}/${partitionId}`,
  };
}

function withoutEnd(path: string): string {
  return path.endsWith("/") ? path.slice(0, -1) : path;
}
