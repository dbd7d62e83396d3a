import { IndexRowLayout, indexRowBytes, MessageLayout } from "../../../src/protocol/message-layout.ts";

/** One message of a client's batch, as a test describes it. */
export interface MessageSpec {
  readonly payload: Uint8Array;
  readonly userHeaders?: Uint8Array;
  readonly id?: bigint;
  readonly offset?: bigint;
  readonly reserved?: bigint;
}

/** A client's batch: rows and messages in separate arrays. */
export interface Batch {
  readonly rows: Uint8Array;
  readonly messages: Uint8Array;
  readonly count: number;
}

/** The batch that a well-behaved client sends (spec BP 3.7, 3.8). */
export function buildBatch(specs: readonly MessageSpec[]): Batch {
  const sizes = specs.map((spec) => 64 + spec.payload.byteLength + (spec.userHeaders?.byteLength ?? 0));
  const rows = new Uint8Array(specs.length * indexRowBytes);
  const messages = new Uint8Array(sizes.reduce((sum, size) => sum + size, 0));
  const rowsView = new DataView(rows.buffer);
  const view = new DataView(messages.buffer);
  let position = 0;
  for (const [index, spec] of specs.entries()) {
    const id = spec.id ?? 0n;
    view.setBigUint64(position + MessageLayout.id, BigInt.asUintN(64, id), true);
    view.setBigUint64(position + MessageLayout.id + 8, id >> 64n, true);
    view.setBigUint64(position + MessageLayout.offset, spec.offset ?? 0n, true);
    view.setBigUint64(position + 40, 1_752_000_000_000_000n + BigInt(index), true);
    view.setUint32(position + MessageLayout.userHeadersLength, spec.userHeaders?.byteLength ?? 0, true);
    view.setUint32(position + MessageLayout.payloadLength, spec.payload.byteLength, true);
    view.setBigUint64(position + MessageLayout.reserved, spec.reserved ?? 0n, true);
    messages.set(spec.payload, position + 64);
    messages.set(spec.userHeaders ?? [], position + 64 + spec.payload.byteLength);
    position += sizes[index]!;
    rowsView.setUint32(index * indexRowBytes + IndexRowLayout.endPosition, position, true);
  }
  return { rows, messages, count: specs.length };
}

/** `count` messages of `payloadBytes` bytes. */
export function buildUniformBatch(count: number, payloadBytes: number): Batch {
  const payload = Uint8Array.from({ length: payloadBytes }, (_, index) => (index * 7) & 0xff);
  return buildBatch(Array.from({ length: count }, () => ({ payload })));
}

/** A shared memory with room for `sizeBytes` bytes. */
export function sharedMemory(sizeBytes: number): WebAssembly.Memory {
  const pages = Math.ceil(sizeBytes / 65_536);
  return new WebAssembly.Memory({ initial: pages, maximum: pages + 16, shared: true });
}

/** The seed that tests use: 1, 2, 3 … */
export const testSeed = Uint8Array.from({ length: 32 }, (_, index) => index + 1);
