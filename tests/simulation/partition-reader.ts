/** Reads from a partition in the simulation: takes the parts together, checks what the result says about itself. */
import { assert } from "../../src/platform/assert.ts";
import type { Simulation } from "../../src/platform/simulated/simulation.ts";
import type { Partition } from "../../src/storage/partition.ts";
import type { ReadFrom, ReadResult } from "../../src/storage/types.ts";
import { parseStored, type StoredMessage } from "./messages.ts";

export interface CompletedRead {
  readonly result: ReadResult;
  readonly bytes: Uint8Array;
  readonly stored: StoredMessage[];
}

export async function readNow(
  simulation: Simulation,
  partition: Partition,
  from: ReadFrom,
  countMax: number,
  encrypted = false,
): Promise<CompletedRead> {
  const answer = partition.read(from, countMax);
  return complete(answer instanceof Promise ? await settled(simulation, answer) : answer, countMax, encrypted);
}

/** The result belongs to the caller, who is to release it, unless this throws. */
export function complete(result: ReadResult, countMax: number, encrypted = false): CompletedRead {
  try {
    return completed(result, countMax, encrypted);
  } catch (error) {
    result.release();
    throw error;
  }
}

function completed(result: ReadResult, countMax: number, encrypted: boolean): CompletedRead {
  const bytes = joinParts(result);
  const stored = parseStored(bytes, encrypted);
  assert(
    stored.length === result.messagesCount && bytes.byteLength === result.sizeBytes && stored.length <= countMax,
    "a result says what it holds",
    { got: stored.length, messagesCount: result.messagesCount, sizeBytes: result.sizeBytes, countMax },
  );
  const last = stored.at(-1);
  assert(last === undefined || last.offset === result.lastOffset, "a result says where it ends", {
    got: last?.offset,
    lastOffset: result.lastOffset,
  });
  assert(last === undefined || last.offset <= result.currentOffset, "no message is past the current offset", {
    got: last?.offset,
    currentOffset: result.currentOffset,
  });
  return { result, bytes, stored };
}

/** Parts may be used until `release`: what they give must not change. */
export function requireSameParts({ result, bytes }: CompletedRead): void {
  assert(Buffer.compare(joinParts(result), bytes) === 0, "the parts of a read stay as they are until released");
}

export interface WholePartition {
  readonly stored: StoredMessage[];
  /** Messages that every read leaves out. */
  readonly damagedCount: number;
}

/** Reads from the first message to the last; damaged ones are left out and counted. */
export async function readWhole(
  simulation: Simulation,
  partition: Partition,
  mayGoBackInTime: (stored: StoredMessage, previous: StoredMessage) => boolean,
  encrypted = false,
): Promise<WholePartition> {
  const stored: StoredMessage[] = [];
  let damagedCount = 0;
  let from: ReadFrom = { kind: "first" };
  for (;;) {
    const read = await readNow(simulation, partition, from, simulation.pick([20, 1000]), encrypted);
    read.result.release();
    damagedCount += read.result.skippedCount;
    if (read.stored.length + read.result.skippedCount === 0) return { stored, damagedCount };
    for (const message of read.stored) {
      const previous = stored.at(-1);
      assert(
        previous === undefined ||
          message.timestampMicros >= previous.timestampMicros ||
          mayGoBackInTime(message, previous),
        "timestamps do not go back inside a partition",
        { offset: message.offset },
      );
      stored.push(message);
    }
    from = { kind: "offset", offset: read.result.lastOffset + 1 };
  }
}

/** Runs the simulation until `promise` has settled; throws if it never does. */
export async function settled<T>(simulation: Simulation, promise: Promise<T>): Promise<T> {
  let isSettled = false;
  const done = promise.finally(() => {
    isSettled = true;
  });
  done.catch(() => undefined); // awaited below
  await simulation.run();
  assert(isSettled, "an operation settles when nothing is left to wait for");
  return done;
}

function joinParts(result: ReadResult): Uint8Array {
  const bytes = new Uint8Array(result.parts.reduce((sum, part) => sum + partSize(part), 0));
  let position = 0;
  for (const part of result.parts) {
    const target = bytes.subarray(position, position + partSize(part));
    if (part.kind === "bytes") target.set(part.bytes);
    else assert(part.file.read(target, part.position) === part.sizeBytes, "the bytes of a part are in its file");
    position += target.byteLength;
  }
  return bytes;
}

function partSize(part: ReadResult["parts"][number]): number {
  return part.kind === "bytes" ? part.bytes.byteLength : part.sizeBytes;
}
