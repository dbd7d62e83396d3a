/** Messages for the storage simulation: built as a client builds them, recognised when they come back. */
import { assert } from "../../src/platform/assert.ts";
import type { Simulation } from "../../src/platform/simulated/simulation.ts";
import { IndexRowLayout, indexRowBytes, MessageLayout, messageHeaderBytes } from "../../src/protocol/message-layout.ts";
import { JsBatchKernel } from "../../src/storage/kernel/js-batch-kernel.ts";
import type { IncomingBatch } from "../../src/storage/types.ts";

const HEADER_BYTES = messageHeaderBytes;
/** The client's own field, kept as sent: here the number of the message in its run, which makes it recognisable. */
const ORIGIN_TIMESTAMP = 40;

export interface SentMessage {
  /** Number in this run, from 0 in the order of sending. */
  readonly number: number;
  readonly payloadLength: number;
  readonly userHeadersLength: number;
  /** Whether the server has to choose the id. */
  readonly withoutId: boolean;
  /** Otherwise: the id, `number` + 1 where it is not said. */
  readonly id?: number;
}

/** What is to be read in the header of a stored message, after its checksum was found right. */
export interface StoredMessage {
  readonly number: number;
  readonly offset: number;
  readonly timestampMicros: number;
  readonly bytes: Uint8Array;
}

/** 1 to 50 messages of 0 to 300 bytes, or one of 100 KB: rarely, unless `mostlyLarge`. */
export function randomMessages(simulation: Simulation, firstNumber: number, mostlyLarge: boolean): SentMessage[] {
  if (simulation.chance(mostlyLarge ? 70 : 2)) {
    return [{ number: firstNumber, payloadLength: 100_000, userHeadersLength: 0, withoutId: false }];
  }
  const count = simulation.chance(40) ? simulation.between(1, 3) : simulation.between(1, 50);
  return Array.from({ length: count }, (_, index) => ({
    number: firstNumber + index,
    payloadLength: simulation.between(0, 300),
    userHeadersLength: simulation.chance(20) ? simulation.between(1, 60) : 0,
    withoutId: simulation.chance(20),
  }));
}

/** The batch in a memory of its own, as it arrives: index rows with end positions only, then the messages. */
export function batchOf(messages: readonly SentMessage[], simulation: Simulation): IncomingBatch {
  const messagesPosition = messages.length * indexRowBytes;
  const messagesSizeBytes = messages.reduce((sum, message) => sum + sizeOf(message), 0);
  const memory = new Uint8Array(messagesPosition + messagesSizeBytes);
  const view = new DataView(memory.buffer);
  let endPosition = 0;
  for (const [rowIndex, message] of messages.entries()) {
    const start = messagesPosition + endPosition;
    if (!message.withoutId) view.setUint32(start + MessageLayout.id, idOf(message), true);
    view.setUint32(start + ORIGIN_TIMESTAMP, message.number, true);
    view.setUint32(start + MessageLayout.userHeadersLength, message.userHeadersLength, true);
    view.setUint32(start + MessageLayout.payloadLength, message.payloadLength, true);
    endPosition += sizeOf(message);
    fillBody(memory.subarray(start + HEADER_BYTES, messagesPosition + endPosition), message.number);
    view.setUint32(rowIndex * indexRowBytes + IndexRowLayout.endPosition, endPosition, true);
  }
  const seed = new Uint8Array(32);
  simulation.random.fill(seed);
  const kernel = new JsBatchKernel(memory, seed);
  assert(
    kernel.validate(0, messages.length, messagesPosition, messagesSizeBytes) === 0,
    "the simulation sends valid batches",
  );
  return { kernel, memory, rowsPosition: 0, messagesCount: messages.length, messagesPosition, messagesSizeBytes };
}

/**
 * Splits what a read returned; throws unless it is a run of whole messages, each with a right checksum, which is that of the
 * bytes on the disk: not to be checked where those are `encrypted`.
 */
export function parseStored(bytes: Uint8Array, encrypted = false): StoredMessage[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const messages: StoredMessage[] = [];
  for (let position = 0; position < bytes.byteLength; ) {
    assert(position + HEADER_BYTES <= bytes.byteLength, "a read returns whole messages", { position });
    const end =
      position +
      HEADER_BYTES +
      view.getUint32(position + MessageLayout.payloadLength, true) +
      view.getUint32(position + MessageLayout.userHeadersLength, true);
    assert(end <= bytes.byteLength, "a read returns whole messages", { position, end });
    const checksum = view.getBigUint64(position + MessageLayout.checksum, true);
    const offset = Number(view.getBigUint64(position + MessageLayout.offset, true));
    assert(
      encrypted || checksum === Bun.hash.xxHash3(bytes.subarray(position + MessageLayout.id, end)),
      "a read returns no corrupt message",
      { position, offset },
    );
    messages.push({
      number: view.getUint32(position + ORIGIN_TIMESTAMP, true),
      offset,
      timestampMicros: Number(view.getBigUint64(position + MessageLayout.timestamp, true)),
      bytes: bytes.subarray(position, end),
    });
    position = end;
  }
  return messages;
}

/** Throws unless everything that the client decided is as it was sent. */
export function requireAsSent(stored: StoredMessage, sent: SentMessage): void {
  const { bytes, offset } = stored;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  assert(
    view.getUint32(MessageLayout.payloadLength, true) === sent.payloadLength &&
      view.getUint32(MessageLayout.userHeadersLength, true) === sent.userHeadersLength &&
      view.getBigUint64(MessageLayout.reserved, true) === 0n,
    "a message keeps its lengths",
    { offset, number: sent.number },
  );
  const idLow = view.getBigUint64(MessageLayout.id, true);
  const idHigh = view.getBigUint64(MessageLayout.id + 8, true);
  const idKept = sent.withoutId ? idLow !== 0n || idHigh !== 0n : idLow === BigInt(idOf(sent)) && idHigh === 0n;
  assert(idKept, "a message keeps its id", { offset, number: sent.number });
  const body = new Uint8Array(sizeOf(sent) - HEADER_BYTES);
  fillBody(body, sent.number);
  assert(Buffer.compare(bytes.subarray(HEADER_BYTES), body) === 0, "a message keeps its payload and user headers", {
    offset,
    number: sent.number,
  });
}

function idOf(message: SentMessage): number {
  return message.id ?? message.number + 1;
}

export function sizeOf(message: SentMessage): number {
  return HEADER_BYTES + message.payloadLength + message.userHeadersLength;
}

/** Sequential bytes from a start that differs from message to message. */
const bodyPattern = Uint8Array.from({ length: 100_000 + 251 }, (_, index) => index % 251);

function fillBody(target: Uint8Array, number: number): void {
  const start = (number * 37) % 251;
  target.set(bodyPattern.subarray(start, start + target.byteLength));
}
