// What a message becomes before it goes into a batch: bytes, and who chooses its partition.

import { encodeUtf8 } from "../../protocol/byte-writer.ts";
import { IggyError } from "../../protocol/errors.ts";
import { messagePayloadBytesMax, partitionKeyBytesMax, userHeadersBytesMax } from "../../protocol/limits.ts";
import { xxHash32 } from "../../protocol/xxhash32.ts";
import type { Instrumentation } from "../observe/instrumentation.ts";
import { encodeHeaders } from "../topic/headers.ts";
import type { OutgoingMessage } from "../topic/message.ts";

const u32Max = 2 ** 32 - 1;
const u128Max = 2n ** 128n - 1n;

/** Bytes of a key; InvalidKeyValueLength (4028) unless it has 1 to 255. */
export function keyBytesOf(key: string | Uint8Array | undefined): Uint8Array | undefined {
  if (key === undefined) return undefined;
  const bytes = typeof key === "string" ? encodeUtf8(key) : key;
  if (!(bytes instanceof Uint8Array)) throw new TypeError("a key is text or a Uint8Array");
  if (bytes.length === 0 || bytes.length > partitionKeyBytesMax) throw new IggyError("InvalidKeyValueLength");
  return bytes;
}

/** The partition of a key, as the server chooses it (spec BP 6.6). */
export function partitionOfKey(key: Uint8Array, partitionsCount: number): number {
  return xxHash32(key) % partitionsCount;
}

/** The block of headers, with trace context and the key where they are to be there. The errors of `encodeHeaders`. */
export function headersOf(
  { headers, key }: OutgoingMessage<unknown>,
  keyHeader: string | undefined,
  inject: Instrumentation["inject"],
): Uint8Array {
  const hasKey = keyHeader !== undefined && key !== undefined;
  if (!hasKey && inject === undefined) return encodeHeaders(headers);
  const carrier: Record<string, string> = {};
  inject?.(carrier);
  return encodeHeaders({ ...carrier, ...headers, ...(hasKey ? { [keyHeader]: key } : {}) });
}

/** RangeError for a number that the wire cannot carry. */
export function checkNumbers({ partitionId, id, originTimestamp }: OutgoingMessage<unknown>): void {
  const isPartition = partitionId === undefined || (Number.isInteger(partitionId) && partitionId >= 0);
  if (!isPartition || (partitionId ?? 0) > u32Max) throw new RangeError(`${partitionId} is no number of a partition`);
  if (id !== undefined && (id < 0n || id > u128Max)) throw new RangeError("an id has 128 bits");
  if (originTimestamp !== undefined && !(originTimestamp.getTime() >= 0))
    throw new RangeError("originTimestamp is no date since 1970");
}

/** What the server would refuse with the whole batch: TooBigMessagePayload (4022), TooBigUserHeaders (4017). */
export function checkSizes(payload: Uint8Array, headers: Uint8Array): void {
  if (!(payload instanceof Uint8Array)) throw new TypeError("a format encodes to a Uint8Array");
  if (payload.length > messagePayloadBytesMax) throw new IggyError("TooBigMessagePayload");
  if (headers.length > userHeadersBytesMax) throw new IggyError("TooBigUserHeaders");
}
