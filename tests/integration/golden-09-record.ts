// The recorded conversation of 0.9 (tests/golden/conversation-0.9.json), and how an answer is compared with the recorded one:
// command, number, operation and status as they are, bodies as the values that a client reads from them, but for what differs
// from run to run.
import { type Codec, decodeStrict } from "../../src/protocol/codec.ts";
import type { BatchRecord } from "../../src/protocol/v09/batch-record.ts";
import { codecsOf09 } from "../../src/protocol/v09/codecs.ts";
import {
  commandCodeOf,
  EvictionHeaderLayout,
  HeaderCommand,
  headerBytes,
  headerCommandOf,
  operationOf,
  ReplyHeaderLayout,
  RequestHeaderLayout,
} from "../../src/protocol/v09/headers.ts";
import { requestOf } from "../../src/protocol/v09/operations.ts";
import { parseRegister, registerReplyCodec } from "../../src/protocol/v09/register.ts";
import { readResultSection, successSectionBytes } from "../../src/protocol/v09/result-section.ts";
import record from "../golden/conversation-0.9.json" with { type: "json" };

/** What came instead of a frame. */
export type Event = "no answer within 2 s" | "closed";

export interface Exchange {
  readonly part: string;
  readonly connection: string;
  readonly step: string;
  readonly request: Uint8Array;
  /** Undefined: the record has none. */
  readonly answer: Uint8Array | Event | undefined;
}

interface Row {
  readonly part: string;
  readonly connection?: string;
  readonly step: string;
  readonly from: string;
  readonly frame?: string;
  readonly event?: string;
}

/** Of one part, in order. */
export function recordedExchanges(part: string): Exchange[] {
  const rows = (record as readonly Row[]).filter((row) => row.part === part && row.connection !== undefined);
  const exchanges: Exchange[] = [];
  for (const [index, { connection, step, from, frame }] of rows.entries()) {
    if (from !== "client" || frame === undefined || connection === undefined) continue;
    const next = rows.slice(index + 1).find((row) => row.connection === connection);
    const answer = next?.frame === undefined ? (next?.event as Event | undefined) : Uint8Array.fromHex(next.frame);
    exchanges.push({ part, connection, step, request: Uint8Array.fromHex(frame), answer });
  }
  return exchanges;
}

/** Operations that the original answers with the number of a command between its servers (spec P9 5.3). */
const recordedOperations: Readonly<Record<number, number>> = { 64: 132, 65: 136 };

/** What differs from run to run, or from one log format to the other (spec P9 8.5: sizes). */
const volatile: ReadonlySet<string> = new Set([
  "createdAtMicros",
  "sizeBytes",
  "address",
  "clientId",
  "token",
  "session",
  "serverVersion",
  "segmentsCount",
  "description",
  "nodes",
]);

/** A frame as a text in which only what matters differs. */
export function describeAnswer(request: Uint8Array, answer: Uint8Array | Event | undefined): string {
  if (!(answer instanceof Uint8Array)) return answer ?? "nothing";
  if (headerCommandOf(answer) === HeaderCommand.eviction) {
    const view = new DataView(answer.buffer, answer.byteOffset);
    const versions = [EvictionHeaderLayout.newestVersion, EvictionHeaderLayout.oldestVersion];
    const window = versions.map((position) => view.getUint32(position, true));
    return `eviction ${answer[EvictionHeaderLayout.reason]} ${window.join(" ")}`;
  }
  const view = new DataView(answer.buffer, answer.byteOffset);
  const operation = answer[ReplyHeaderLayout.operation]!;
  const status = view.getUint32(ReplyHeaderLayout.status, true);
  const number = view.getBigUint64(ReplyHeaderLayout.request, true);
  const head = `reply ${recordedOperations[operation] ?? operation} to ${number}, status ${status}`;
  return status !== 0 ? head : `${head}: ${describeBody(request, answer.subarray(headerBytes))}`;
}

function describeBody(request: Uint8Array, body: Uint8Array): string {
  const meant = requestOf(operationOf(request), commandCodeOf(request));
  if (meant.kind !== "command" && meant.kind !== "register") return body.toHex();
  let payload = body;
  if (meant.kind === "register" || meant.isFramed) {
    const { errorCode, payloadPosition } = readResultSection(body);
    if (errorCode !== 0) return `refused ${errorCode}`;
    payload = body.subarray(payloadPosition);
  }
  if (payload.byteLength === 0) return "empty";
  if (meant.kind === "register") return JSON.stringify(decodeStrict(registerReplyCodec, payload), replacer);
  const value = decodeStrict(codecsOf09(meant.name).reply as Codec<unknown>, payload);
  if (meant.name === "pollMessages") return JSON.stringify(flattened(value as PollValue), replacer);
  return JSON.stringify(value, replacer);
}

interface PollValue {
  readonly partitionId: number;
  readonly records: readonly BatchRecord[];
}

/** Messages one by one: where records begin and end is the server's own. */
function flattened({ records, ...head }: PollValue): unknown {
  const messages = records.flatMap(({ messages: frames, ...batch }) =>
    frames.map(({ id, offsetDelta, timestampDeltaMicros, payload, userHeaders }) => ({
      partitionId: batch.partitionId,
      offset: batch.baseOffset + BigInt(offsetDelta),
      originTimestamp: batch.originTimestampMicros + BigInt(timestampDeltaMicros),
      id,
      payload,
      userHeaders,
    })),
  );
  return { ...head, messages };
}

function replacer(key: string, value: unknown): unknown {
  if (volatile.has(key)) return "*";
  if (typeof value === "bigint") return value.toString();
  return value instanceof Uint8Array ? value.toHex() : value;
}

/** Size of a raw token. */
const tokenBytes = 68;
const lengthBytes = 1;
/** The length of the context, which is empty: a login ends with it. */
const contextBytes = 4;

/** The raw token of a reply that has one, which the next login with a token is to show. */
export function tokenOf(request: Uint8Array, reply: Uint8Array | Event): Uint8Array | undefined {
  const meant = requestOf(operationOf(request), commandCodeOf(request));
  const isToken = meant.kind === "command" && meant.name === "createPersonalAccessToken";
  if (!isToken || !(reply instanceof Uint8Array)) return undefined;
  const start = headerBytes + successSectionBytes + lengthBytes;
  return reply.byteLength === start + tokenBytes ? reply.slice(start) : undefined;
}

/** The request with this token, if it is a login with a token. Its checksum is left out. */
export function withToken(request: Uint8Array, token: Uint8Array): Uint8Array {
  if (requestOf(operationOf(request), commandCodeOf(request)).kind !== "register") return request;
  const parsed = parseRegister(request.subarray(headerBytes));
  if (parsed.kind !== "register" || parsed.request.token?.length !== tokenBytes) return request;
  const changed = request.slice();
  changed.set(token, request.byteLength - contextBytes - tokenBytes);
  changed.fill(0, RequestHeaderLayout.requestChecksum, RequestHeaderLayout.requestChecksum + 16);
  return changed;
}
