// A batch on its way into a partition, as a connection of the shard would bring it.
import { expect } from "bun:test";
import { makeBatch } from "../storage/harness.ts";
import type { TestShard } from "./setup.ts";

/** Appends one message of each size through `from`, from its frame memory. */
export async function append(from: TestShard, partitionKey: number, payloadSizes: readonly number[]): Promise<void> {
  const batch = makeBatch(payloadSizes, 0);
  const buffer = from.frames.allocate(batch.memory.byteLength)!;
  from.frames.reserve(buffer, batch.memory.byteLength);
  buffer.memory.set(batch.memory, buffer.position);
  const { messagesCount, messagesSizeBytes } = batch;
  const rowsPosition = buffer.position;
  const messagesPosition = buffer.position + batch.messagesPosition;
  const kernel = from.shard.kernelOf(buffer);
  expect(kernel.validate(rowsPosition, messagesCount, messagesPosition, messagesSizeBytes)).toBe(0);
  await from.shard.append(partitionKey, { buffer, rowsPosition, messagesCount, messagesPosition, messagesSizeBytes });
  from.frames.release(buffer);
}
