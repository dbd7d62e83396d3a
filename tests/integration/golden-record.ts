// How an answer is compared with the recorded one (tests/golden/binary.json).
import { MessageLayout, PollReplyLayout } from "../../src/protocol/message-layout.ts";
import record from "../golden/binary.json" with { type: "json" };

/** One recorded request and its answer. */
export interface Step {
  readonly name: string;
  readonly connection: string;
  readonly code: number;
  /** Hex; null where a token from an earlier reply is to be sent. */
  readonly payload: string | null;
  readonly status: number;
  /** Hex. */
  readonly reply: string;
  /** `[position, size]` of what differs from run to run. */
  readonly volatile: readonly (readonly [number, number])[];
  /** The original's answer is a known fault. */
  readonly isFault: boolean;
  /** The reply is a raw access token for the steps without a payload. */
  readonly savesToken: boolean;
}

export const steps: readonly Step[] = record.map((step) => ({
  name: step.name,
  connection: step.connection,
  code: step.code,
  payload: step.payload,
  status: step.status,
  reply: step.reply,
  volatile: step.volatile.map(([position, size]) => [position ?? 0, size ?? 0] as const),
  isFault: "fix" in step && step.fix === true,
  savesToken: "saves_token" in step && step.saves_token === true,
}));

type Range = readonly [number, number];

/** Hex of what lies outside the ranges, with a bar in place of each of them. */
function fixedPart(bytes: Uint8Array, ranges: readonly Range[]): string {
  let text = "";
  let end = 0;
  for (const [position, size] of ranges) {
    text += `${bytes.subarray(end, position).toHex()}|`;
    end = position + size;
  }
  return text + bytes.subarray(end).toHex();
}

/** The ranges when the one at `index` is `growth` bytes longer (an address or a host name). */
function withGrowth(ranges: readonly Range[], index: number, growth: number): Range[] {
  return ranges.map(([position, size], at) => {
    if (at < index) return [position, size];
    return at === index ? [position, size + growth] : [position + growth, size];
  });
}

/** Both answers without what differs from run to run; they are equal if the answer is right. */
export function comparable(step: Step, answer: Uint8Array): { readonly recorded: string; readonly answered: string } {
  const ranges = step.volatile.toSorted(([first], [second]) => first - second);
  const recorded = fixedPart(Uint8Array.fromHex(step.reply), ranges);
  const growth = answer.length - step.reply.length / 2;
  const answers = ranges.map((_, index) => fixedPart(answer, withGrowth(ranges, index, growth)));
  const answered =
    growth === 0 ? fixedPart(answer, ranges) : (answers.find((text) => text === recorded) ?? answer.toHex());
  return { recorded, answered };
}

/** Positions of the messages inside the reply of a poll; throws if lengths and count do not agree. */
function messagePositions(reply: Uint8Array): number[] {
  const view = new DataView(reply.buffer, reply.byteOffset, reply.byteLength);
  const positions: number[] = [];
  let position: number = PollReplyLayout.messages;
  while (position < reply.length) {
    positions.push(position);
    const headersBytes = view.getUint32(position + MessageLayout.userHeadersLength, true);
    position += MessageLayout.payload + headersBytes + view.getUint32(position + MessageLayout.payloadLength, true);
  }
  const count = view.getUint32(PollReplyLayout.messagesCount, true);
  if (position !== reply.length || positions.length !== count) {
    throw new Error(`${count} messages were announced, ${positions.length} fill ${position} of ${reply.length} bytes`);
  }
  return positions;
}

/** The step with the recorded messages' reserved field zero, as it should be. */
export function withoutReserved(step: Step): Step {
  const reply = Uint8Array.fromHex(step.reply);
  for (const position of messagePositions(reply))
    reply.fill(0, position + MessageLayout.reserved, position + MessageLayout.payload);
  return { ...step, reply: reply.toHex() };
}

const transportPosition = 8;

/** The step's client record with another transport: the record was made over TCP. */
export function withTransport(step: Step, transportCode: number): Step {
  const reply = Uint8Array.fromHex(step.reply);
  reply[transportPosition] = transportCode;
  return { ...step, reply: reply.toHex() };
}

/** Offsets in a poll's reply whose messages have a wrong checksum or no id: what the record cannot be compared with. */
export function damagedMessages(reply: Uint8Array): bigint[] {
  const view = new DataView(reply.buffer, reply.byteOffset, reply.byteLength);
  const positions = messagePositions(reply);
  return positions
    .filter((position, index) => {
      const end = positions[index + 1] ?? reply.length;
      const checksum = Bun.hash.xxHash3(reply.subarray(position + MessageLayout.checksumStart, end));
      const id = reply.subarray(position + MessageLayout.id, position + MessageLayout.offset);
      return checksum !== view.getBigUint64(position + MessageLayout.checksum, true) || id.every((byte) => byte === 0);
    })
    .map((position) => view.getBigUint64(position + MessageLayout.offset, true));
}
