// One segment: every checksum and offset of its log, times, and whether its index says what the log says. It goes the way
// of recovery, with the same kernel, but looks at sealed segments too, and changes nothing.
import { IndexRowLayout, messageHeaderBytes } from "../protocol/message-layout.ts";
import { LogScan } from "../storage/log-scan.ts";
import { examineTail } from "../storage/log-tail.ts";
import { rowSizeBytes } from "../storage/row-block.ts";
import { Segment } from "../storage/segment.ts";
import { messagesText, offsetsText } from "./findings.ts";
import { checkKey } from "./key-check.ts";
import type { CheckTools } from "./tools.ts";

export interface SegmentPlace {
  readonly directory: string;
  readonly startOffset: number;
  /** Undefined for the active one. */
  readonly nextStartOffset: number | undefined;
  readonly hasIndex: boolean;
  /** Bytes of its log that were durable once, as the checkpoint says; 0 where it does not. */
  readonly durableBytes: number;
  /** Time of the last message before it; 0 where there is none. */
  readonly lastTimestampMicros: number;
}

export interface CheckedSegment {
  /** Offset behind its last message, damaged ones included. */
  readonly endOffset: number;
  readonly lastTimestampMicros: number;
}

/** Throws `DiskError` where a file cannot be read. */
export function checkSegment(tools: CheckTools, place: SegmentPlace): CheckedSegment {
  const { files } = tools.context;
  const segment = new Segment(files, place.directory, place.startOffset, false);
  try {
    if (!place.hasIndex) files.create(segment.index.file); // in memory only, as all that a doctor writes
    return new SegmentCheck(tools, place, segment).run();
  } finally {
    segment.closeFiles(files);
  }
}

class SegmentCheck {
  readonly #tools: CheckTools;
  readonly #place: SegmentPlace;
  readonly #segment: Segment;
  readonly #storedRows: number;
  readonly #indexBytes: number;
  #row = 0;
  #lastTimestampMicros: number;
  /** Whether a fault of this kind was told: the first one says enough. */
  #isIndexReported = false;
  #isTimeReported = false;
  #stored = new Uint8Array(0);

  constructor(tools: CheckTools, place: SegmentPlace, segment: Segment) {
    this.#tools = tools;
    this.#place = place;
    this.#segment = segment;
    this.#lastTimestampMicros = place.lastTimestampMicros;
    this.#indexBytes = tools.context.files.use(segment.index.file).sizeBytes();
    this.#storedRows = Math.floor(this.#indexBytes / rowSizeBytes);
  }

  run(): CheckedSegment {
    const { context, onBytes } = this.#tools;
    const { startOffset, nextStartOffset } = this.#place;
    const segment = this.#segment;
    const file = context.files.pin(segment.log);
    try {
      const sizeBytes = file.sizeBytes();
      const scan = new LogScan(context.scanMemory.recoveryRegion, startOffset, startOffset, 0, sizeBytes, {
        offsetEnd: nextStartOffset ?? Number.MAX_SAFE_INTEGER,
        storedEnd: (row) => segment.index.storedEnd(row),
      });
      let isFirstWhole = false;
      while (!scan.done) {
        const before = scan.position;
        scan.take(file.read(scan.target, scan.readPosition));
        onBytes(scan.position - before);
        isFirstWhole ||= before === 0 && scan.rows.byteLength > 0;
        if (scan.rows.byteLength > 0) this.#takeRows(scan.rows);
        const run = scan.damagedRun;
        if (run !== undefined) this.#takeDamaged(run.endOffset - run.firstOffset, run.start, true);
      }
      if (isFirstWhole) checkKey(this.#tools, segment, file);
      segment.logSizeBytes = scan.position;
      if (nextStartOffset === undefined) this.#endActive(sizeBytes, scan.damage !== undefined);
      else this.#endSealed(sizeBytes, nextStartOffset);
      this.#endIndex();
      onBytes(this.#indexBytes);
      return { endOffset: startOffset + this.#row, lastTimestampMicros: this.#lastTimestampMicros };
    } finally {
      context.files.unpin(segment.log);
    }
  }

  #takeRows(rows: Uint8Array): void {
    const count = rows.byteLength / rowSizeBytes;
    this.#checkTimes(rows, count);
    if (this.#place.hasIndex && !this.#isIndexReported) this.#compareIndex(rows, count);
    this.#row += count;
  }

  #checkTimes(rows: Uint8Array, count: number): void {
    const view = new DataView(rows.buffer, rows.byteOffset, rows.byteLength);
    let last = this.#lastTimestampMicros;
    for (let index = 0; index < count; index++) {
      const at = index * rowSizeBytes + IndexRowLayout.timestamp;
      const micros = view.getUint32(at + 4, true) * 2 ** 32 + view.getUint32(at, true);
      if (micros < last && !this.#isTimeReported) this.#reportTime(index);
      last = micros;
    }
    this.#lastTimestampMicros = last;
  }

  #reportTime(index: number): void {
    this.#isTimeReported = true;
    this.#tools.findings.add({
      kind: "time",
      severity: "damage",
      path: this.#segment.log.path,
      text: `offset ${this.#place.startOffset + this.#row + index}: its time is before that of the message before it`,
      consequence: "polls by time may begin at another message",
    });
  }

  /** With the rows that the file has for them. */
  #compareIndex(rows: Uint8Array, count: number): void {
    const storedCount = Math.max(0, Math.min(count, this.#storedRows - this.#row));
    const bytes = storedCount * rowSizeBytes;
    if (this.#stored.byteLength < bytes) this.#stored = new Uint8Array(rows.byteLength);
    const stored = this.#stored.subarray(0, bytes);
    this.#segment.index.readStored(this.#row, stored);
    const ofLog = rows.subarray(0, bytes);
    if (Buffer.compare(stored, ofLog) === 0) return;
    const differs = stored.findIndex((byte, at) => byte !== ofLog[at]);
    const row = this.#row + Math.floor(differs / rowSizeBytes);
    this.#reportIndex("damage", row * rowSizeBytes, `row ${row} is not that of its message`);
  }

  /** Messages that are not what their checksums say. */
  #takeDamaged(count: number, position: number, isFollowed: boolean): void {
    const first = this.#place.startOffset + this.#row;
    this.#row += count;
    const behind = isFollowed ? "; what is behind them can be read" : "";
    this.#tools.findings.add({
      kind: "messages",
      severity: "damage",
      path: this.#segment.log.path,
      position,
      text: `${offsetsText(first, first + count)}: checksum, offset or length is not that of the bytes`,
      lostMessages: count,
      loss: messagesText(count),
      consequence: `polls leave them out, and their offsets stay taken${behind}`,
    });
  }

  /** In a sealed segment nothing is cut: what is no message takes the offsets up to the next segment. */
  #endSealed(sizeBytes: number, nextStartOffset: number): void {
    const { startOffset } = this.#place;
    const position = this.#segment.logSizeBytes;
    const missing = nextStartOffset - startOffset - this.#row;
    if (position < sizeBytes) {
      const possibleCount = Math.max(1, Math.floor((sizeBytes - position) / messageHeaderBytes));
      this.#takeDamaged(Math.max(1, Math.min(possibleCount, missing)), position, false);
    }
    const endOffset = startOffset + this.#row;
    if (endOffset < nextStartOffset) this.#reportGap(endOffset, nextStartOffset);
    else if (endOffset > nextStartOffset) this.#reportOverlap(endOffset, nextStartOffset);
  }

  #reportGap(endOffset: number, nextStartOffset: number): void {
    const count = nextStartOffset - endOffset;
    this.#tools.findings.add({
      kind: "gap",
      severity: "damage",
      path: this.#segment.log.path,
      position: this.#segment.logSizeBytes,
      text: `${offsetsText(endOffset, nextStartOffset)}: missing before the next segment`,
      lostMessages: count,
      loss: messagesText(count),
      consequence: "polls go on at the next segment",
    });
  }

  #reportOverlap(endOffset: number, nextStartOffset: number): void {
    this.#tools.findings.add({
      kind: "overlap",
      severity: "damage",
      path: this.#segment.log.path,
      text: `${offsetsText(nextStartOffset, endOffset)}: in the next segment too`,
      lostMessages: endOffset - nextStartOffset,
      loss: messagesText(endOffset - nextStartOffset),
      consequence: "those of this segment are not shown",
    });
  }

  /** What a start cuts off the end of the log, and what of it are messages. */
  #endActive(sizeBytes: number, isDamaged: boolean): void {
    const { context } = this.#tools;
    const { startOffset, durableBytes } = this.#place;
    const segment = this.#segment;
    if (!isDamaged && durableBytes <= sizeBytes) return;
    const file = context.files.use(segment.log);
    const tailPlace = {
      segmentStartOffset: startOffset,
      position: segment.logSizeBytes,
      offset: startOffset + this.#row,
      end: sizeBytes,
      offsetEnd: Number.MAX_SAFE_INTEGER,
      timestampMicros: this.#lastTimestampMicros,
      storedEnd: (row: number) => segment.index.storedEnd(row),
    };
    const region = context.scanMemory.recoveryRegion;
    const { damagedCount, end } = examineTail(file, segment, tailPlace, region, durableBytes);
    if (durableBytes > sizeBytes) this.#reportShort(sizeBytes);
    if (damagedCount > 0) this.#takeDamaged(damagedCount, segment.logSizeBytes, false);
    const torn = Math.max(segment.logSizeBytes, end);
    if (torn < sizeBytes) {
      this.#tools.findings.add({
        kind: "torn",
        severity: "start",
        path: segment.log.path,
        position: torn,
        text: `${sizeBytes - torn} bytes after the last whole message`,
        consequence: "a start cuts them, and keeps a copy beside the log; nothing of them was known to be durable",
      });
    }
  }

  #reportShort(sizeBytes: number): void {
    const { durableBytes } = this.#place;
    this.#tools.findings.add({
      kind: "missing",
      severity: "damage",
      path: this.#segment.log.path,
      position: sizeBytes,
      text: `the log has ${sizeBytes} bytes, and ${durableBytes} were durable`,
      loss: `${durableBytes - sizeBytes} bytes`,
      consequence: "no offset of the messages that are gone is given again",
    });
  }

  #endIndex(): void {
    const { hasIndex, nextStartOffset } = this.#place;
    if (!hasIndex) {
      if (this.#row > 0) this.#reportIndex("damage", undefined, "the index is missing");
      return;
    }
    if (this.#isIndexReported) return;
    const tornBytes = this.#indexBytes % rowSizeBytes;
    if (this.#storedRows > this.#row) {
      const text = `it has ${this.#storedRows} rows, and the log ${messagesText(this.#row)}`;
      this.#reportIndex("damage", this.#row * rowSizeBytes, text);
    } else if (this.#storedRows < this.#row) {
      // Rows follow their messages: where a process was killed, the last ones of the active segment may be missing.
      const severity = nextStartOffset === undefined ? "start" : "damage";
      const text = `rows of the last ${messagesText(this.#row - this.#storedRows)} are missing`;
      this.#reportIndex(severity, this.#indexBytes, text);
    } else if (tornBytes > 0) {
      this.#reportIndex("damage", this.#indexBytes - tornBytes, `${tornBytes} bytes after its last row`);
    }
  }

  #reportIndex(severity: "damage" | "start", position: number | undefined, text: string): void {
    this.#isIndexReported = true;
    this.#tools.findings.add({
      kind: "index",
      severity,
      path: this.#segment.index.file.path,
      position,
      text,
      consequence: "it is made again from the log, at a start or when it is read",
    });
  }
}
