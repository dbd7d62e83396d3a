// What a client of 0.9 gives as options, read and checked (spec P9 11.2): an unknown key is told before anything else, then a
// value of the wrong kind, one that cannot be read, and one that this server does not have. Texts are read as in the
// configuration.
import { parseByteSize, parseExpiry, parseMaxTopicSize, UnitError } from "../config/units.ts";
import {
  describeTopicOptions,
  isTopicOptionKey,
  type TopicOptionKey,
  type TopicOptions,
  type TopicOptionValue,
  topicOptionTable,
} from "../metadata/index.ts";
import { IggyError } from "../protocol/errors.ts";
import { u64Max } from "../protocol/limits.ts";
import { HeaderKindCode } from "../protocol/user-headers.ts";
import type { OptionDescription, OptionScope } from "../protocol/v09/describe-options.ts";
import type { Option } from "../protocol/v09/options.ts";
import type { ServerContext } from "./context.ts";

const u32Max = 2 ** 32 - 1;
const mebibyte = 2 ** 20;
const gibibyte = 2 ** 30;
const segmentStepBytes = 512;
const savedMessagesMax = 16_777_216;
const digits = /^\d{1,20}$/;
const durabilities: readonly TopicOptionValue[] = ["replicated", "persisted"];

/**
 * Errors: UnsupportedOptionKey (4041) for a key that is none, or that cannot be changed later; InvalidOptionValue (4042). A
 * value of 0 asks for the default.
 */
export function readTopicOptions(options: readonly Option[], command: "create" | "update"): TopicOptions {
  const keys = options.map(({ key }) => {
    const isKnown = isTopicOptionKey(key) && (command === "create" || topicOptionTable[key].isUpdatable);
    if (!isKnown) throw new IggyError("UnsupportedOptionKey", [key]);
    return key;
  });
  const values: { [Key in TopicOptionKey]?: TopicOptionValue } = {};
  for (const [index, key] of keys.entries()) {
    const value = readValue(key, options[index]!);
    if (value === undefined || !isServed(key, value)) throw new IggyError("InvalidOptionValue", [key]);
    values[key] = value;
  }
  return values;
}

/** Streams and users have no options: UnsupportedOptionKey (4041) for any. */
export function requireNoOptions(options: readonly Option[] | undefined): void {
  const [first] = options ?? [];
  if (first !== undefined) throw new IggyError("UnsupportedOptionKey", [first.key]);
}

/** Code 13 (spec P9 11.3): what may be given when one is made. Streams and users have no options. */
export function describeOptions({ topicDefaults }: ServerContext, scope: OptionScope): readonly OptionDescription[] {
  return scope === "topic" ? describeTopicOptions(topicDefaults) : [];
}

/** In the kind of the table; undefined: of another kind and no text, or a text that cannot be read. */
function readValue(key: TopicOptionKey, { kind, value }: Option): TopicOptionValue | undefined {
  const wanted = topicOptionTable[key].kind;
  if (kind === HeaderKindCode.string) {
    const text = textOf(value);
    if (text === undefined || wanted === "string") return text;
    if (wanted === "bool") return text === "true" ? true : text === "false" ? false : undefined;
    return wanted === "uint32" ? readSmallNumber(text) : readNumber(key, text);
  }
  if (kind !== HeaderKindCode[wanted]) return undefined;
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength);
  if (wanted === "bool") return value.byteLength === 1 ? value[0] !== 0 : undefined;
  if (wanted === "uint32") return value.byteLength === 4 ? view.getUint32(0, true) : undefined;
  return value.byteLength === 8 ? view.getBigUint64(0, true) : undefined;
}

function textOf(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return undefined; // not UTF-8
  }
}

function readSmallNumber(text: string): number | undefined {
  const value = digits.test(text) ? Number(text) : Number.NaN;
  return value <= u32Max ? value : undefined;
}

/** A bare number as it is: microseconds or bytes, as replies show it (spec P9 12). */
function readNumber(key: TopicOptionKey, text: string): bigint | undefined {
  if (digits.test(text)) {
    const value = BigInt(text);
    return value <= u64Max ? value : undefined;
  }
  try {
    if (key === "message_expiry") return parseExpiry(text);
    return key === "max_topic_size" ? parseMaxTopicSize(text) : BigInt(parseByteSize(text));
  } catch (thrown) {
    if (!(thrown instanceof UnitError)) throw thrown;
    return undefined;
  }
}

/** Whether this server can do what is asked (spec P9 11.2). */
function isServed(key: TopicOptionKey, value: TopicOptionValue): boolean {
  switch (key) {
    case "compression_algorithm":
      return value === "none" || value === "gzip";
    case "durability":
    case "consumer_offset_durability":
      return durabilities.includes(value);
    case "segment_size":
      return value === 0n || (isWithin(value, mebibyte, gibibyte) && Number(value) % segmentStepBytes === 0);
    case "messages_required_to_save":
      return isWithin(value, 1, savedMessagesMax);
    case "size_of_messages_required_to_save":
      return isWithin(value, 0, gibibyte);
    case "preallocate_segments":
      return value === false;
    default:
      return true; // the size of the topic is compared with that of a segment when the change is planned
  }
}

function isWithin(value: TopicOptionValue, min: number, max: number): boolean {
  const number = Number(value);
  return number >= min && number <= max;
}
