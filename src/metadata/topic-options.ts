/**
 * The options of a topic (spec P9 11.2): what a client of 0.9 may say of one, what is kept of it, and what replies show.
 * What was given is kept with the topic as plain data, by key and in the kind of the table; what was not given is not kept,
 * for it is the server's, whose configuration may change. Reading what a client sent is done above, in the server.
 */
import { CompressionCode } from "../protocol/records/enumerations.ts";
import { HeaderKindCode } from "../protocol/user-headers.ts";
import type { OptionDescription } from "../protocol/v09/describe-options.ts";
import type { Option, ShownOptions } from "../protocol/v09/options.ts";

/** A text is of kind string, a number of uint32, a bigint of uint64. */
export type TopicOptionValue = string | number | bigint | boolean;

interface TopicOption {
  readonly kind: "string" | "bool" | "uint32" | "uint64";
  readonly isUpdatable: boolean;
  /** 0 asks for what the server has; it is then as if nothing was given. */
  readonly isZeroDefault: boolean;
  readonly description: string;
}

/** Every option, in the order in which they are described. */
export const topicOptionTable = {
  compression_algorithm: {
    kind: "string",
    isUpdatable: true,
    isZeroDefault: false,
    description: "`none` or `gzip`: how clients are to compress; messages are stored as they come.",
  },
  message_expiry: {
    kind: "uint64",
    isUpdatable: true,
    isZeroDefault: true,
    description:
      "Age in microseconds, or a text such as `7 days`, after which messages may be removed; the highest number: never; 0: as configured.",
  },
  max_topic_size: {
    kind: "uint64",
    isUpdatable: true,
    isZeroDefault: true,
    description:
      "Bytes, or a text such as `10 GiB`, above which the oldest segments are removed: at least one segment; the highest number: no limit; 0: as configured.",
  },
  segment_size: {
    kind: "uint64",
    isUpdatable: false,
    isZeroDefault: true,
    description:
      "Bytes, or a text such as `64 MiB`, at which a segment is sealed: a multiple of 512 from 1 MiB to 1 GiB; 0: as configured.",
  },
  durability: {
    kind: "string",
    isUpdatable: false,
    isZeroDefault: false,
    description:
      "`replicated`: a send is answered as the server is configured (system.partition.acknowledge), in the one copy that this node has; `persisted`: after it was synced to the disk.",
  },
  consumer_offset_durability: {
    kind: "string",
    isUpdatable: false,
    isZeroDefault: false,
    description:
      "`replicated`: a stored offset is answered when it is written, in the one copy that this node has; `persisted`: after it was synced to the disk.",
  },
  messages_required_to_save: {
    kind: "uint32",
    isUpdatable: false,
    isZeroDefault: false,
    description: "Messages in memory that make a write, where sends are answered from memory: from 1 to 16777216.",
  },
  size_of_messages_required_to_save: {
    kind: "uint64",
    isUpdatable: false,
    isZeroDefault: true,
    description:
      "Bytes, or a text such as `1 MiB`, in memory that make a write, where sends are answered from memory: up to 1 GiB; 0: as configured.",
  },
  preallocate_segments: {
    kind: "bool",
    isUpdatable: false,
    isZeroDefault: false,
    description: "Whether a whole segment is reserved on the disk. It is not: accepted is only `false`.",
  },
} as const satisfies Record<string, TopicOption>;

export type TopicOptionKey = keyof typeof topicOptionTable;

/** What was given when the topic was made or changed. */
export type TopicOptions = { readonly [Key in TopicOptionKey]?: TopicOptionValue };

/** Of a topic whose maker gave none, or could not. */
export const noTopicOptions: TopicOptions = {};

/** What topics have whose maker said nothing, and what all have alike. */
export interface TopicOptionDefaults {
  readonly messageExpiryMicros: bigint;
  readonly maxTopicSizeBytes: bigint;
  readonly segmentSizeBytes: number;
  readonly messagesRequiredToSave: number;
  readonly bytesRequiredToSave: number;
}

/** What is shown of a topic, and asked of it. */
interface WithOptions {
  /** `CompressionCode`. */
  readonly compression: number;
  readonly messageExpiryMicros: bigint;
  readonly maxTopicSizeBytes: bigint;
  readonly options: TopicOptions;
}

export function isTopicOptionKey(key: string): key is TopicOptionKey {
  return Object.hasOwn(topicOptionTable, key);
}

/** Whether sends are answered when they are durable, whatever the configured level. */
export function isPersisted({ options }: { readonly options: TopicOptions }): boolean {
  return options.durability === "persisted";
}

/** The same for stored and deleted offsets of its consumers. */
export function areOffsetsPersisted({ options }: { readonly options: TopicOptions }): boolean {
  return options.consumer_offset_durability === "persisted";
}

/** What the storage of a topic has of its own; absent: as configured. */
export interface TopicStorageOptions {
  readonly segmentSizeBytes?: number;
  readonly messagesRequiredToSave?: number;
  readonly bytesRequiredToSave?: number;
}

export function storageOptionsOf({ options }: { readonly options: TopicOptions }): TopicStorageOptions {
  const { segment_size, messages_required_to_save, size_of_messages_required_to_save } = options;
  return {
    ...(segment_size === undefined ? {} : { segmentSizeBytes: Number(segment_size) }),
    ...(messages_required_to_save === undefined ? {} : { messagesRequiredToSave: Number(messages_required_to_save) }),
    ...(size_of_messages_required_to_save === undefined
      ? {}
      : { bytesRequiredToSave: Number(size_of_messages_required_to_save) }),
  };
}

/** What stays with the topic of what it had and what was given; what asks for the default is as if it was not given. */
export function keptOptions(before: TopicOptions, given: TopicOptions): TopicOptions {
  const kept: { [Key in TopicOptionKey]?: TopicOptionValue } = {};
  for (const key of sortedKeys) {
    const value = given[key] ?? before[key];
    if (value !== undefined && !(topicOptionTable[key].isZeroDefault && value === 0n)) kept[key] = value;
  }
  return kept;
}

/**
 * Together the values in force, each list sorted by key. What was given and is not in force any more, since a client of 0.8 has
 * changed it or the server is configured otherwise, is shown with the others.
 */
export function shownOptions(topic: WithOptions, defaults: TopicOptionDefaults): ShownOptions {
  const values = valuesOf(topic, defaults);
  const isExplicit = (key: TopicOptionKey) => topic.options[key] === values[key];
  return {
    explicit: sortedKeys.filter(isExplicit).map((key) => toOption(key, values[key])),
    derived: sortedKeys.filter((key) => !isExplicit(key)).map((key) => toOption(key, values[key])),
  };
}

/** Every option with what it is where nothing is given, in the order of the table. */
export function describeTopicOptions(defaults: TopicOptionDefaults): OptionDescription[] {
  const { messageExpiryMicros, maxTopicSizeBytes } = defaults;
  const values = valuesOf(
    { compression: CompressionCode.none, messageExpiryMicros, maxTopicSizeBytes, options: noTopicOptions },
    defaults,
  );
  return keys.map((key) => {
    const { kind, value: defaultValue } = toOption(key, values[key]);
    return { key, kind, defaultValue, description: topicOptionTable[key].description };
  });
}

const keys = Object.keys(topicOptionTable) as TopicOptionKey[];
const sortedKeys = keys.toSorted();

function valuesOf(topic: WithOptions, defaults: TopicOptionDefaults): Record<TopicOptionKey, TopicOptionValue> {
  const own = storageOptionsOf(topic);
  return {
    compression_algorithm: topic.compression === CompressionCode.gzip ? "gzip" : "none",
    message_expiry: topic.messageExpiryMicros,
    max_topic_size: topic.maxTopicSizeBytes,
    segment_size: BigInt(own.segmentSizeBytes ?? defaults.segmentSizeBytes),
    durability: isPersisted(topic) ? "persisted" : "replicated",
    consumer_offset_durability: areOffsetsPersisted(topic) ? "persisted" : "replicated",
    messages_required_to_save: own.messagesRequiredToSave ?? defaults.messagesRequiredToSave,
    size_of_messages_required_to_save: BigInt(own.bytesRequiredToSave ?? defaults.bytesRequiredToSave),
    preallocate_segments: false,
  };
}

function toOption(key: TopicOptionKey, value: TopicOptionValue): Option {
  return { key, kind: HeaderKindCode[topicOptionTable[key].kind], value: bytesOf(value) };
}

function bytesOf(value: TopicOptionValue): Uint8Array {
  if (typeof value === "string") return new TextEncoder().encode(value);
  if (typeof value === "boolean") return Uint8Array.of(value ? 1 : 0);
  const bytes = new Uint8Array(typeof value === "number" ? 4 : 8);
  const view = new DataView(bytes.buffer);
  if (typeof value === "number") view.setUint32(0, value, true);
  else view.setBigUint64(0, value, true);
  return bytes;
}
