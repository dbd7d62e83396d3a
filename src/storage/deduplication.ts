// Drops the messages of a batch whose id the partition took lately (spec SB 4.4). First this, then offsets: the original
// does it the other way round, which leaves gaps and overlaps (spec SB 13, trap 18).

import { assert } from "../platform/assert.ts";
import { DiskError } from "../platform/disk.ts";
import { IggyError } from "../protocol/errors.ts";
import { IndexRowLayout, indexRowBytes, MessageLayout, messageHeaderBytes } from "../protocol/message-layout.ts";
import { IdFilter } from "./id-filter.ts";
import type { PartitionLog } from "./partition-log.ts";
import { addRecoveredIds } from "./recovered-ids.ts";
import type { DeduplicationOptions, IncomingBatch } from "./types.ts";

/**
 * The filter of one partition, which follows its appends: `admit`, then `refuse` or `accepted`; later `written` or
 * `dropJournal` for all that was accepted since the last write.
 */
export class Deduplication {
  readonly #options: DeduplicationOptions;
  /** Made at the first append: there may be very many partitions. */
  #ids: IdFilter | undefined;
  #isRecovered = false;
  /** Appends that wait until that is so. */
  #waiting: (() => void)[] | undefined;
  /** Of the filter: before the last batch, behind the last accepted and the last written one. */
  #batchMark = 0;
  #acceptedMark = 0;
  #writtenMark = 0;

  constructor(options: DeduplicationOptions) {
    this.#options = options;
  }

  /** Whether `whenRecovered` has to be waited for before the first `admit`. */
  isToRecover(log: PartitionLog): boolean {
    if (this.#isRecovered) return false;
    this.#isRecovered = log.nextOffset === log.segments[0]!.startOffset; // nothing was taken before
    return !this.#isRecovered;
  }

  /** Calls `start` when it is known which ids the log ends with, in the order of the calls. */
  whenRecovered(log: PartitionLog, start: () => void): void {
    if (this.#waiting !== undefined) {
      this.#waiting.push(start);
      return;
    }
    this.#waiting = [start];
    const goOn = () => {
      const waiting = this.#waiting ?? [];
      this.#waiting = undefined;
      for (const startOne of waiting) startOne();
    };
    // A broken rule of our own refuses them all.
    this.#recover(log).then(goOn, (thrown) => {
      log.fence(thrown);
      goOn();
    });
  }

  /**
   * Learns the ids that the log ends with. Never rejects because of the disk: what cannot be read is not known, and the log
   * says so.
   */
  async #recover(log: PartitionLog): Promise<void> {
    const { clock, log: messages } = log.context;
    const { epoch, directory } = log;
    const ids = new IdFilter(this.#options);
    try {
      await addRecoveredIds(ids, log, clock.nowMicros());
    } catch (thrown) {
      if (!(thrown instanceof DiskError || thrown instanceof IggyError)) throw thrown;
      messages.warn("ids of earlier messages cannot be read: repeated ones may be taken", {
        directory,
        error: thrown.message,
      });
    }
    this.#isRecovered = true;
    if (log.epoch !== epoch) return; // purged meanwhile: what comes again is new
    this.#ids = ids;
    this.#acceptedMark = ids.mark;
    this.#writtenMark = ids.mark;
  }

  /** See `dropDuplicates`. */
  admit(batch: IncomingBatch, nowMicros: number): IncomingBatch | undefined {
    this.#ids ??= new IdFilter(this.#options);
    this.#ids.advance(nowMicros);
    this.#batchMark = this.#ids.mark;
    return dropDuplicates(batch, this.#ids);
  }

  /** The last batch did not become part of the partition: its ids are not known any more. */
  refuse(): void {
    this.#ids?.rollback(this.#batchMark);
    this.#acceptedMark = Math.min(this.#acceptedMark, this.#batchMark);
  }

  accepted(): void {
    this.#acceptedMark = this.#ids?.mark ?? 0;
  }

  written(): void {
    this.#writtenMark = this.#acceptedMark;
  }

  dropJournal(): void {
    this.#ids?.rollback(this.#writtenMark);
    this.#acceptedMark = this.#writtenMark;
  }

  /** The partition was purged: what comes again is new. */
  clear(): void {
    this.#ids = undefined;
    this.#batchMark = 0;
    this.#acceptedMark = 0;
    this.#writtenMark = 0;
  }
}

/**
 * Adds the ids of a validated batch to `filter` and closes the gaps that duplicates leave, inside the memory of the batch,
 * which stays a valid batch. Returns `batch` itself when nothing was a duplicate, undefined when everything was. Messages
 * with id 0 get a random one later and are never duplicates.
 */
export function dropDuplicates(batch: IncomingBatch, filter: IdFilter): IncomingBatch | undefined {
  const { memory, messagesCount, messagesPosition } = batch;
  const view = new DataView(memory.buffer, memory.byteOffset, memory.byteLength);
  let keptCount = 0;
  /** Behind the messages that stand where they will stay. */
  let keptEnd = messagesPosition;
  /** Messages from here to `position` stay as well, and move together. */
  let runStart = messagesPosition;
  let position = messagesPosition;
  for (let left = messagesCount; left > 0; left--) {
    const messageEnd = position + messageSize(view, position);
    if (isNew(view, position + MessageLayout.id, filter)) {
      // Positions in the rows of a batch count from its first message.
      const rowEnd = keptEnd + (messageEnd - runStart) - messagesPosition;
      const row = batch.rowsPosition + keptCount * indexRowBytes;
      if (runStart !== keptEnd) view.setUint32(row + IndexRowLayout.endPosition, rowEnd, true);
      keptCount++;
    } else {
      keptEnd = moveRun(memory, keptEnd, runStart, position);
      runStart = messageEnd;
    }
    position = messageEnd;
  }
  assert(position === messagesPosition + batch.messagesSizeBytes, "a filtered batch was valid");
  if (keptCount === messagesCount) return batch;
  if (keptCount === 0) return undefined;
  keptEnd = moveRun(memory, keptEnd, runStart, position);
  return { ...batch, messagesCount: keptCount, messagesSizeBytes: keptEnd - messagesPosition };
}

function moveRun(memory: Uint8Array, target: number, start: number, end: number): number {
  if (target !== start) memory.copyWithin(target, start, end);
  return target + (end - start);
}

function isNew(view: DataView, position: number, filter: IdFilter): boolean {
  const word0 = view.getUint32(position, true);
  const word1 = view.getUint32(position + 4, true);
  const word2 = view.getUint32(position + 8, true);
  const word3 = view.getUint32(position + 12, true);
  return (word0 | word1 | word2 | word3) === 0 || filter.add(word0, word1, word2, word3);
}

function messageSize(view: DataView, position: number): number {
  return (
    messageHeaderBytes +
    view.getUint32(position + MessageLayout.payloadLength, true) +
    view.getUint32(position + MessageLayout.userHeadersLength, true)
  );
}
