/**
 * From a command to the event that carries it out: pure functions that check the command against the state and throw
 * `IggyError` with the documented code (spec BP 4.7, 4.8; spec SB 5.4, 5.5). Ids are chosen here, times are handed in.
 * Permissions are checked elsewhere: the caller looks up (`requireStream`, `requireTopic`), checks them, then plans.
 */
import { IggyError } from "../protocol/errors.ts";
import type { Identifier } from "../protocol/identifier.ts";
import { nameBytesMax, partitionsPerRequestMax } from "../protocol/limits.ts";
import type {
  PartitionsCreated,
  PartitionsDeleted,
  StreamCreated,
  StreamDeleted,
  StreamPurged,
  StreamUpdated,
  TopicCreated,
  TopicDeleted,
  TopicPurged,
  TopicUpdated,
} from "./events.ts";
import { peekId } from "./id-allocator.ts";
import { requireStream, requireTopic } from "./lookups.ts";
import {
  type Compression,
  type MetadataState,
  partitionsMax,
  partitionsPerTopicMax,
  type Stream,
  streamsMax,
  topicsMax,
  topicsPerStreamMax,
} from "./state.ts";
import { keptOptions, noTopicOptions, storageOptionsOf, type TopicOptions } from "./topic-options.ts";

/** Wire number of "take what the server is configured with", for expiry and size. */
const serverDefault = 0n;

/** What a topic may say about itself, as wire numbers: 0 = server default, 2^64 - 1 = never or unlimited. */
export interface TopicSettings {
  readonly name: string;
  readonly compression: Compression;
  readonly messageExpiryMicros: bigint;
  readonly maxTopicSizeBytes: bigint;
  /** 0 is stored as 1. */
  readonly replicationFactor: number;
  /** What a client of 0.9 gave, as it was read; the settings above say the same. */
  readonly options?: TopicOptions | undefined;
}

/** The same for a change of it: what is undefined stays as it is. */
export type TopicChange = Pick<TopicSettings, "name" | "options"> & {
  readonly [Key in Exclude<keyof TopicSettings, "name" | "options">]?: TopicSettings[Key] | undefined;
};

export interface StreamTarget {
  readonly stream: Identifier;
}

export interface TopicTarget extends StreamTarget {
  readonly topic: Identifier;
}

export interface PartitionsRequest extends TopicTarget {
  readonly count: number;
}

/** What a planner cannot find out or make up by itself; where it is absent, the event is one of an older version. */
export interface MakesLogs {
  /** 96 random bits for the ids of new logs (`log-ids.ts`). */
  readonly logBase?: string;
}

/** The same for what is to be remembered until its files are gone. */
export interface EndsLogs {
  readonly removalId?: number;
}

/** Whether a number that is free in the metadata can be given: its place on the disk may be taken. */
export interface TakesNumber {
  readonly isUsable?: (id: number) => boolean;
}

/** The same for a topic of some stream. */
export interface TakesTopicNumber {
  readonly isUsable?: (streamId: number, topicId: number) => boolean;
}

/** The server's configuration, resolved: neither default may be 0. */
export interface TopicDefaults {
  readonly messageExpiryMicros: bigint;
  readonly maxTopicSizeBytes: bigint;
  readonly segmentSizeBytes: number;
}

/** Errors: InvalidStreamName (1013), StreamNameAlreadyExists (1012), CannotCreateStream (1006) at the limit. */
export function planCreateStream(
  state: MetadataState,
  request: { readonly name: string },
  nowMicros: number,
  { isUsable }: TakesNumber = {},
): StreamCreated {
  requireStreamName(state, request.name, undefined);
  const streamId = peekId(state.streams.ids, isUsable);
  if (streamId >= streamsMax) throw new IggyError("CannotCreateStream", [streamId]);
  return { kind: "streamCreated", streamId, name: request.name, createdAtMicros: nowMicros };
}

/** Errors: 1009, 1013, 1012. */
export function planUpdateStream(
  state: MetadataState,
  request: StreamTarget & { readonly name: string },
): StreamUpdated {
  const stream = requireStream(state, request.stream);
  requireStreamName(state, request.name, stream.id);
  return { kind: "streamUpdated", streamId: stream.id, name: request.name };
}

/** Errors: 1009. */
export function planDeleteStream(state: MetadataState, request: StreamTarget, ends?: EndsLogs): StreamDeleted {
  return { kind: "streamDeleted", streamId: requireStream(state, request.stream).id, ...ends };
}

/** Errors: 1009. */
export function planPurgeStream(
  state: MetadataState,
  request: StreamTarget,
  logs?: MakesLogs & EndsLogs,
): StreamPurged {
  return { kind: "streamPurged", streamId: requireStream(state, request.stream).id, ...logs };
}

/**
 * Errors, in this order: 2015, 1009, 2014, 1019, 2013, CannotCreateTopic (2006) at the limit of the stream or of all, 2015 if
 * there would be more partitions than can exist.
 */
export function planCreateTopic(
  state: MetadataState,
  request: StreamTarget & TopicSettings & { readonly partitionsCount: number },
  nowMicros: number,
  defaults: TopicDefaults,
  { isUsable, ...logs }: TakesTopicNumber & MakesLogs = {},
): TopicCreated {
  requireTopicPartitionsCount(request.partitionsCount);
  const stream = requireStream(state, request.stream);
  requireTopicNameLength(request.name);
  const kept = keptOptions(noTopicOptions, request.options ?? noTopicOptions);
  requireTopicSize(request.maxTopicSizeBytes, segmentSizeOf(kept, defaults));
  requireTopicNameFree(stream, request.stream, request.name, undefined);
  const topicId = peekId(stream.topics.ids, isUsable && ((id) => isUsable(stream.id, id)));
  if (topicId >= topicsPerStreamMax || state.topicsCount >= topicsMax) {
    throw new IggyError("CannotCreateTopic", [topicId, stream.id]);
  }
  requirePlacesFor(state, request.partitionsCount);
  return {
    kind: "topicCreated",
    streamId: stream.id,
    topicId,
    createdAtMicros: nowMicros,
    partitionsCount: request.partitionsCount,
    ...resolveSettings(request, defaults),
    ...withOptions(kept),
    ...logs,
  };
}

/**
 * Errors: 1009, 2010, 2014, 1019, 2013. The size is compared with the segment size only where it was given as an option: of
 * the setting of 0.8 it was recorded from the original that it is not (spec P9 7.3).
 */
export function planUpdateTopic(
  state: MetadataState,
  request: TopicTarget & TopicChange,
  defaults: TopicDefaults,
): TopicUpdated {
  const { stream, topic } = requireTopic(state, request.stream, request.topic);
  const { options } = request;
  requireTopicNameLength(request.name);
  const settings: TopicSettings = {
    name: request.name,
    compression: request.compression ?? topic.compression,
    messageExpiryMicros: request.messageExpiryMicros ?? topic.messageExpiryMicros,
    maxTopicSizeBytes: request.maxTopicSizeBytes ?? topic.maxTopicSizeBytes,
    replicationFactor: request.replicationFactor ?? topic.replicationFactor,
  };
  if (options?.max_topic_size !== undefined) {
    requireTopicSize(settings.maxTopicSizeBytes, segmentSizeOf(topic.options, defaults));
  }
  requireTopicNameFree(stream, request.stream, request.name, topic.id);
  return {
    kind: "topicUpdated",
    streamId: stream.id,
    topicId: topic.id,
    ...resolveSettings(settings, defaults),
    ...(options === undefined ? {} : { options: keptOptions(topic.options, options) }),
  };
}

/** Errors: 1009, 2010. */
export function planDeleteTopic(state: MetadataState, request: TopicTarget, ends?: EndsLogs): TopicDeleted {
  const { stream, topic } = requireTopic(state, request.stream, request.topic);
  return { kind: "topicDeleted", streamId: stream.id, topicId: topic.id, ...ends };
}

/** Errors: 1009, 2010. */
export function planPurgeTopic(state: MetadataState, request: TopicTarget, logs?: MakesLogs & EndsLogs): TopicPurged {
  const { stream, topic } = requireTopic(state, request.stream, request.topic);
  return { kind: "topicPurged", streamId: stream.id, topicId: topic.id, ...logs };
}

/**
 * Errors, in this order: 2015, 1009, 2010, 2015 if the topic would have more than a partition key can name, or all topics
 * more than can exist.
 */
export function planCreatePartitions(
  state: MetadataState,
  request: PartitionsRequest,
  nowMicros: number,
  logs?: MakesLogs,
): PartitionsCreated {
  requireCreatedPartitionsCount(request.count);
  const { stream, topic } = requireTopic(state, request.stream, request.topic);
  if (topic.partitions.length + request.count > partitionsPerTopicMax) throw new IggyError("TooManyPartitions");
  requirePlacesFor(state, request.count);
  return {
    kind: "partitionsCreated",
    streamId: stream.id,
    topicId: topic.id,
    count: request.count,
    createdAtMicros: nowMicros,
    ...logs,
  };
}

/** Errors, in this order: 2015 for a count of 0, 1009, 2010, InvalidPartitionsCount (2019). */
export function planDeletePartitions(
  state: MetadataState,
  request: PartitionsRequest,
  ends?: EndsLogs,
): PartitionsDeleted {
  requireDeletedPartitionsCount(request.count);
  const { stream, topic } = requireTopic(state, request.stream, request.topic);
  if (request.count > topic.partitions.length) throw new IggyError("InvalidPartitionsCount");
  return { kind: "partitionsDeleted", streamId: stream.id, topicId: topic.id, count: request.count, ...ends };
}

/** Create topic: 0 to 1000, else TooManyPartitions (2015). Precedes look-up and permission, so callers may need it alone. */
export function requireTopicPartitionsCount(count: number): void {
  if (count > partitionsPerRequestMax) throw new IggyError("TooManyPartitions");
}

/** Create partitions: 1 to 1000, else 2015. Precedes look-up and permission. */
export function requireCreatedPartitionsCount(count: number): void {
  if (count < 1 || count > partitionsPerRequestMax) throw new IggyError("TooManyPartitions");
}

/** Delete partitions: not 0, else 2015. Precedes look-up and permission. */
export function requireDeletedPartitionsCount(count: number): void {
  if (count < 1) throw new IggyError("TooManyPartitions");
}

/** For all topics together: refused when it is planned, or no shard could take up what the log already has. */
function requirePlacesFor(state: MetadataState, count: number): void {
  if (state.partitionsCount + count > partitionsMax) throw new IggyError("TooManyPartitions");
}

function requireStreamName(state: MetadataState, name: string, ownId: number | undefined): void {
  if (!isNameLengthValid(name)) throw new IggyError("InvalidStreamName");
  const holder = state.streams.byName.get(name);
  if (holder !== undefined && holder.id !== ownId) throw new IggyError("StreamNameAlreadyExists", [name]);
}

function requireTopicNameLength(name: string): void {
  if (!isNameLengthValid(name)) throw new IggyError("InvalidTopicName");
}

function requireTopicNameFree(stream: Stream, asked: Identifier, name: string, ownId: number | undefined): void {
  const holder = stream.topics.byName.get(name);
  if (holder === undefined || holder.id === ownId) return;
  throw new IggyError("TopicNameAlreadyExists", [name, asked.value]);
}

function isNameLengthValid(name: string): boolean {
  const sizeBytes = Buffer.byteLength(name, "utf8");
  return sizeBytes >= 1 && sizeBytes <= nameBytesMax;
}

/** A limit below one segment could never be kept; "server default" is checked with the configuration. */
/** In a topic with these options. */
function segmentSizeOf(options: TopicOptions, defaults: TopicDefaults): number {
  return storageOptionsOf({ options }).segmentSizeBytes ?? defaults.segmentSizeBytes;
}

function requireTopicSize(maxTopicSizeBytes: bigint, segmentSizeBytes: number): void {
  if (maxTopicSizeBytes === serverDefault || maxTopicSizeBytes >= BigInt(segmentSizeBytes)) return;
  throw new IggyError("InvalidTopicSize", [humanSize(Number(maxTopicSizeBytes)), humanSize(segmentSizeBytes)]);
}

/** Stored resolved, so that a topic means the same after a restart (spec SB 3.8). */
function resolveSettings(asked: TopicSettings, defaults: TopicDefaults): Omit<TopicSettings, "options"> {
  return {
    name: asked.name,
    compression: asked.compression,
    messageExpiryMicros:
      asked.messageExpiryMicros === serverDefault ? defaults.messageExpiryMicros : asked.messageExpiryMicros,
    maxTopicSizeBytes: asked.maxTopicSizeBytes === serverDefault ? defaults.maxTopicSizeBytes : asked.maxTopicSizeBytes,
    replicationFactor: Math.max(asked.replicationFactor, 1),
  };
}

function withOptions(options: TopicOptions): { readonly options?: TopicOptions } {
  return Object.keys(options).length === 0 ? {} : { options };
}

/** "1.07 GB": decimal units, two digits, as error texts show sizes (spec SB 1.3). */
function humanSize(sizeBytes: number): string {
  const units = ["B", "KB", "MB", "GB", "TB", "PB"];
  const power = sizeBytes < 1000 ? 0 : Math.min(Math.floor(Math.log10(sizeBytes) / 3), units.length - 1);
  return power === 0 ? `${sizeBytes} B` : `${(sizeBytes / 1000 ** power).toFixed(2)} ${units[power]}`;
}
