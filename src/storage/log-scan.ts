// A walk through the messages of a log file, slice by slice. It does no I/O itself: whoever walks reads `target` from
// `readPosition`, synchronously or not, and hands the result to `take`. Where a message is damaged, the walk ends or, if it
// is to, goes on with the next whole message.

import { IndexRowLayout, MessageLayout, messageHeaderBytes } from "../protocol/message-layout.ts";
import { messageBytesMax } from "./limits.ts";
import { type DamagedPlace, type FoundMessage, findMessageBehind, type ReadRequest } from "./resync.ts";
import { rowSizeBytes } from "./row-block.ts";
import { makeLargeRegion, type ScanRegion } from "./scan-memory.ts";

/** `torn`: the log ends inside a message. `corrupt`: a message is not what its checksum and its place say. */
export type ScanDamage = "torn" | "corrupt";

/** Messages that are not what they should be, with a whole one behind them. */
export interface DamagedRun {
  readonly firstOffset: number;
  /** Offset of the whole message behind them. */
  readonly endOffset: number;
  readonly start: number;
  readonly end: number;
  /** Time of the message behind them. */
  readonly nextTimestampMicros: number;
}

/** What a walk that goes on behind damage has to know; see `DamagedPlace`. */
export type Resynchronisation = Pick<DamagedPlace, "offsetEnd" | "storedEnd">;

const noRows = new Uint8Array(0);

export class LogScan {
  readonly #segmentStartOffset: number;
  readonly #resynchronisation: Resynchronisation | undefined;
  #region: ScanRegion;
  #endPosition: number;
  #search: Generator<ReadRequest, FoundMessage | undefined, number> | undefined;
  #lastTimestampMicros = 0;

  /** Everything from the start of the walk to here is valid, or belongs to a damaged run. */
  position: number;
  /** Offset of the message that comes next. */
  nextOffset: number;
  /** Set at the end of a walk that ends before the log does: there is no whole message behind `position`, or none was looked for. */
  damage: ScanDamage | undefined;
  /** Where the next bytes come from, and go. */
  readPosition: number;
  target: Uint8Array;
  /** Index rows of the last slice. */
  rows: Uint8Array = noRows;
  /** Set after a slice that found the end of damage; `rows` is empty then. */
  damagedRun: DamagedRun | undefined;

  /**
   * Walks from `position`, where the message `nextOffset` starts, to `endPosition`; without `resynchronisation` no further
   * than to the first damage.
   */
  constructor(
    region: ScanRegion,
    segmentStartOffset: number,
    nextOffset: number,
    position: number,
    endPosition: number,
    resynchronisation?: Resynchronisation,
  ) {
    this.#region = region;
    this.#segmentStartOffset = segmentStartOffset;
    this.#endPosition = endPosition;
    this.#resynchronisation = resynchronisation;
    this.position = position;
    this.nextOffset = nextOffset;
    this.readPosition = position;
    this.target = this.#nextTarget();
  }

  get goesOnBehindDamage(): boolean {
    return this.#resynchronisation !== undefined;
  }

  get done(): boolean {
    return this.#search === undefined && (this.damage !== undefined || this.position >= this.#endPosition);
  }

  /** Checks what was read into `target` from `readPosition`; `gotBytes` is less than asked only at the end of the file. */
  take(gotBytes: number): void {
    this.rows = noRows;
    this.damagedRun = undefined;
    if (this.#search !== undefined) this.#goOnSearching(this.#search.next(gotBytes));
    else this.#takeMessages(gotBytes);
    if (this.#search === undefined && !this.done) {
      this.readPosition = this.position;
      this.target = this.#nextTarget();
    }
  }

  #takeMessages(gotBytes: number): void {
    if (gotBytes < this.target.byteLength) this.#endPosition = this.position + gotBytes;
    const region = this.#region;
    const firstPosition = this.position;
    const result = region.kernel.scan(
      region.messagesPosition,
      gotBytes,
      this.nextOffset,
      this.#segmentStartOffset,
      firstPosition,
      region.rowsPosition,
      region.rowsMax,
    );
    this.rows = region.memory.subarray(region.rowsPosition, region.rowsPosition + result.messagesCount * rowSizeBytes);
    if (result.messagesCount > 0) this.#lastTimestampMicros = lastTimestampIn(this.rows);
    this.position += result.validBytes;
    this.nextOffset += result.messagesCount;
    if (result.stop === "corrupt") this.damage = "corrupt";
    else if (result.stop === "incomplete") {
      this.#goOnAtIncomplete(region.messagesPosition + result.validBytes, gotBytes - result.validBytes);
    }
    if (this.damage !== undefined && this.#resynchronisation !== undefined) this.#beginSearch(this.#resynchronisation);
  }

  /** The slice ends inside a message, or the log does, or the length is garbage. */
  #goOnAtIncomplete(messagePosition: number, sliceBytes: number): void {
    const leftBytes = this.#endPosition - this.position;
    if (leftBytes < messageHeaderBytes) {
      this.damage = "torn";
      return;
    }
    if (sliceBytes < messageHeaderBytes) return;
    const memory = this.#region.memory;
    const view = new DataView(memory.buffer, memory.byteOffset + messagePosition, messageHeaderBytes);
    const messageBytes =
      messageHeaderBytes +
      view.getUint32(MessageLayout.payloadLength, true) +
      view.getUint32(MessageLayout.userHeadersLength, true);
    if (messageBytes > messageBytesMax) this.damage = "corrupt";
    else if (messageBytes > leftBytes) this.damage = "torn";
    // The rest of the walk stays in the larger memory.
    else if (messageBytes > this.#region.messagesSizeBytes) this.#region = makeLargeRegion(messageBytes);
  }

  #beginSearch({ offsetEnd, storedEnd }: Resynchronisation): void {
    const place: DamagedPlace = {
      segmentStartOffset: this.#segmentStartOffset,
      position: this.position,
      offset: this.nextOffset,
      end: this.#endPosition,
      offsetEnd,
      timestampMicros: this.#lastTimestampMicros,
      storedEnd,
    };
    // The rows of this slice are still to be used: the search reads only when the next bytes are asked for.
    this.#search = findMessageBehind(place, this.#region);
    this.#goOnSearching(this.#search.next());
  }

  #goOnSearching(step: IteratorResult<ReadRequest, FoundMessage | undefined>): void {
    if (step.done !== true) {
      this.readPosition = step.value.position;
      this.target = step.value.target;
      return;
    }
    this.#search = undefined;
    const found = step.value;
    if (found === undefined) return; // `damage` says that the walk ends here
    this.damagedRun = {
      firstOffset: this.nextOffset,
      endOffset: found.offset,
      start: this.position,
      end: found.position,
      nextTimestampMicros: found.timestampMicros,
    };
    this.damage = undefined;
    this.position = found.position;
    this.nextOffset = found.offset;
  }

  #nextTarget(): Uint8Array {
    const region = this.#region;
    const sizeBytes = Math.min(region.messagesSizeBytes, this.#endPosition - this.position);
    return region.memory.subarray(region.messagesPosition, region.messagesPosition + sizeBytes);
  }
}

/** Time of the last of some index rows. */
export function lastTimestampIn(rows: Uint8Array): number {
  const view = new DataView(rows.buffer, rows.byteOffset + rows.byteLength - rowSizeBytes, rowSizeBytes);
  const at = IndexRowLayout.timestamp;
  return view.getUint32(at + 4, true) * 2 ** 32 + view.getUint32(at, true);
}
