/** What other layers may use of the metadata. */
export { apply } from "./apply.ts";
export { type Catalog, entriesById, type Named } from "./catalog.ts";
export {
  type PartitionsRequest,
  planCreatePartitions,
  planCreateStream,
  planCreateTopic,
  planDeletePartitions,
  planDeleteStream,
  planDeleteTopic,
  planPurgeStream,
  planPurgeTopic,
  planUpdateStream,
  planUpdateTopic,
  requireCreatedPartitionsCount,
  requireDeletedPartitionsCount,
  requireTopicPartitionsCount,
  type StreamTarget,
  type TopicDefaults,
  type TopicSettings,
  type TopicTarget,
} from "./commands.ts";
export type { MetadataEvent } from "./events.ts";
export { peekId } from "./id-allocator.ts";
export { MetadataLog, type MetadataLogOptions } from "./log.ts";
export { requireStream, requireTopic } from "./lookups.ts";
export type { PlainData } from "./plain-data.ts";
export type { MetadataRepair } from "./recovery.ts";
export {
  type Compression,
  createState,
  findPartition,
  findStream,
  findTopic,
  findUser,
  type MetadataState,
  type Partition,
  type Stream,
  type Topic,
  type User,
  type UserStatus,
} from "./state.ts";
