// Batch records of 0.9 and stored messages of 0.8 as tests describe them, written without the kernel (spec P9 8.2, BP 3.7).

/** One message, in either form. */
export interface RecordMessage {
  readonly id: bigint;
  readonly payload: Uint8Array;
  readonly userHeaders: Uint8Array;
  /** µs */
  readonly originTimestamp: bigint;
}

/** A message in the log. */
export interface StoredMessage extends RecordMessage {
  readonly offset: bigint;
  /** µs, of the append. */
  readonly timestamp: bigint;
}

/** What a record says in its header, beside sizes and checksum. */
export interface RecordHead {
  readonly partitionId?: bigint;
  readonly baseOffset?: bigint;
  readonly baseTimestamp?: bigint;
}

/** The record of `messages`, with both kinds of checksums; as a producer sends it when `head` is left out. */
export function buildRecord(messages: readonly RecordMessage[], head: RecordHead = {}): Uint8Array {
  const origin = messages.reduce(
    (min, message) => (message.originTimestamp < min ? message.originTimestamp : min),
    2n ** 64n - 1n,
  );
  const frames = messages.map((message, index) => {
    const frame = new Uint8Array(48 + message.payload.byteLength + message.userHeaders.byteLength);
    const view = new DataView(frame.buffer);
    view.setBigUint64(8, BigInt.asUintN(64, message.id), true);
    view.setBigUint64(16, message.id >> 64n, true);
    view.setUint32(24, index, true);
    view.setUint32(28, Number(message.originTimestamp - origin), true);
    view.setUint32(32, message.userHeaders.byteLength, true);
    view.setUint32(36, message.payload.byteLength, true);
    frame.set(message.payload, 48);
    frame.set(message.userHeaders, 48 + message.payload.byteLength);
    view.setBigUint64(0, Bun.hash.xxHash3(frame.subarray(8)), true);
    return frame;
  });
  const header = new Uint8Array(256);
  const view = new DataView(header.buffer);
  view.setBigUint64(0, head.partitionId ?? 0n, true);
  view.setBigUint64(8, head.baseOffset ?? 0n, true);
  view.setBigUint64(16, head.baseTimestamp ?? 0n, true);
  view.setBigUint64(24, origin, true);
  view.setBigUint64(32, BigInt(256 + frames.reduce((sum, frame) => sum + frame.byteLength, 0)), true);
  view.setUint32(48, messages.length, true);
  const record = Buffer.concat([header, ...frames]);
  resealRecord(record);
  return new Uint8Array(record);
}

/** Computes every checksum of a record anew, as far as its lengths can be followed. */
export function resealRecord(record: Uint8Array): void {
  const view = new DataView(record.buffer, record.byteOffset, record.byteLength);
  const checksums: Uint8Array[] = [];
  for (let frame = 256; frame + 48 <= record.byteLength; ) {
    const end = frame + 48 + view.getUint32(frame + 32, true) + view.getUint32(frame + 36, true);
    if (end > record.byteLength) break;
    view.setBigUint64(frame, Bun.hash.xxHash3(record.subarray(frame + 8, end)), true);
    checksums.push(record.subarray(frame, frame + 8));
    frame = end;
  }
  const input = Buffer.concat([record.subarray(0, 40), record.subarray(48, 52), ...checksums]);
  view.setBigUint64(40, Bun.hash.xxHash3(input), true);
}

/** Messages as they stand in the log, with their checksums. */
export function buildStored(messages: readonly StoredMessage[]): Uint8Array {
  return new Uint8Array(
    Buffer.concat(
      messages.map((message) => {
        const bytes = buildSent(message);
        const view = new DataView(bytes.buffer);
        view.setBigUint64(24, message.offset, true);
        view.setBigUint64(32, message.timestamp, true);
        view.setBigUint64(0, Bun.hash.xxHash3(bytes.subarray(8)), true);
        return bytes;
      }),
    ),
  );
}

/** A message as it is before its stamp: checksum, offset and timestamp 0. */
export function buildSent(message: RecordMessage): Uint8Array {
  const bytes = new Uint8Array(64 + message.payload.byteLength + message.userHeaders.byteLength);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(8, BigInt.asUintN(64, message.id), true);
  view.setBigUint64(16, message.id >> 64n, true);
  view.setBigUint64(40, message.originTimestamp, true);
  view.setUint32(48, message.userHeaders.byteLength, true);
  view.setUint32(52, message.payload.byteLength, true);
  bytes.set(message.payload, 64);
  bytes.set(message.userHeaders, 64 + message.payload.byteLength);
  return bytes;
}

/** The messages of records one after the other; what is not whole or does not add up throws. */
export function parseRecords(records: Uint8Array): StoredMessage[] {
  const view = new DataView(records.buffer, records.byteOffset, records.byteLength);
  const messages: StoredMessage[] = [];
  let header = 0;
  while (header < records.byteLength) {
    const end = header + Number(view.getBigUint64(header + 32, true));
    const count = view.getUint32(header + 48, true);
    let frame = header + 256;
    for (let index = 0; index < count; index++) {
      const payloadEnd = frame + 48 + view.getUint32(frame + 36, true);
      const frameEnd = payloadEnd + view.getUint32(frame + 32, true);
      messages.push({
        id: view.getBigUint64(frame + 8, true) | (view.getBigUint64(frame + 16, true) << 64n),
        offset: view.getBigUint64(header + 8, true) + BigInt(view.getUint32(frame + 24, true)),
        timestamp: view.getBigUint64(header + 16, true),
        originTimestamp: view.getBigUint64(header + 24, true) + BigInt(view.getUint32(frame + 28, true)),
        payload: records.slice(frame + 48, payloadEnd),
        userHeaders: records.slice(payloadEnd, frameEnd),
      });
      frame = frameEnd;
    }
    if (frame !== end || end > records.byteLength) throw new Error("the frames of a record fill it");
    header = end;
  }
  return messages;
}
