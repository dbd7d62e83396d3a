// The 10,000 messages of the scenario: the same in every run, of mixed sizes, binary and text, some with user headers.
import { headerString, type UserHeader, userHeadersCodec } from "../../src/client/index.ts";
import { encode } from "../../src/protocol/codec.ts";
import type { PolledMessage } from "../../src/protocol/message/poll-messages.ts";

export interface SentMessage {
  readonly id: bigint;
  readonly payload: Uint8Array;
  readonly userHeaders: Uint8Array;
}

const texts = ["plain", "żółta łódź", "メッセージ", "🐕 whippet 🏁", "e\u0301 decomposed", '{"quoted":"\\u0000\\n"}'];
const idHigh = 0x5eed_0000_0000_0001n << 64n;

/** HTTP stores headers sorted by key (spec HA 5.2); so they are sent. */
function headersOf(number: number): readonly UserHeader[] {
  if (number % 7 !== 0) return [];
  return [
    { key: headerString("a-number"), value: { kind: "int64", value: BigInt(-number) } },
    { key: headerString("b-text"), value: headerString(texts[number % texts.length] ?? "") },
    { key: headerString("c-raw"), value: { kind: "raw", value: binary(number, 1 + (number % 255)) } },
    { key: headerString("d-flag"), value: { kind: "bool", value: number % 2 === 0 } },
    { key: headerString("e-double"), value: { kind: "float64", value: number / 8 } },
  ];
}

function binary(seed: number, sizeBytes: number): Uint8Array {
  const bytes = new Uint8Array(sizeBytes);
  let state = (seed + 1) * 0x9e3779b1;
  for (let position = 0; position < sizeBytes; position++) {
    state = Math.imul(state ^ (state >>> 15), 0x85ebca6b) + position;
    bytes[position] = state >>> 13;
  }
  return bytes;
}

/** Mostly some bytes, at times more, once much more than a socket takes at a time. */
function payloadSizeBytes(number: number): number {
  if (number === 4320) return 300_000;
  return number % 500 === 499 ? 20_000 : 1 + ((number * 37) % 200);
}

function messageOf(number: number): SentMessage {
  const payload =
    number % 3 === 0
      ? binary(number, payloadSizeBytes(number))
      : new TextEncoder().encode(`${number} ${texts[number % texts.length]}`);
  return { id: idHigh + BigInt(number), payload, userHeaders: encode(userHeadersCodec, headersOf(number)) };
}

export const messagesCount = 10_000;
export const messages: readonly SentMessage[] = Array.from({ length: messagesCount }, (_, number) => messageOf(number));

/** Number of a message of the scenario by its id. */
export function numberOf(id: bigint): number {
  return Number(id - idHigh);
}

/** Differences between what was polled and what was sent, from `firstOffset` on; empty if there are none. */
export function differences(
  polled: readonly PolledMessage[],
  sent: readonly SentMessage[],
  firstOffset: number,
): string[] {
  const found: string[] = [];
  if (polled.length !== sent.length) found.push(`${polled.length} messages, not ${sent.length}`);
  for (const [index, message] of polled.entries()) {
    const expected = sent[index];
    if (expected === undefined) break;
    const at = `message ${numberOf(expected.id)} at offset ${firstOffset + index}`;
    if (message.offset !== BigInt(firstOffset + index)) found.push(`${at} has offset ${message.offset}`);
    if (message.id !== expected.id) found.push(`${at} has id ${message.id}`);
    if (Buffer.compare(message.payload, expected.payload) !== 0) found.push(`${at} has another payload`);
    if (Buffer.compare(message.userHeaders, expected.userHeaders) !== 0) found.push(`${at} has other user headers`);
  }
  return found.slice(0, 10);
}
