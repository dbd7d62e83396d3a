// Behind damage in a log: where does the next whole message stand? Whoever searches does the reading, synchronously or not:
// the generators below say what they need and are told how many bytes there were.
//
// First the likely places, which cost a few headers: the end that the message gives itself, the ends that the index gives to
// it and the next ones, the ends that it would give itself with one bit of its lengths changed. Only then each byte behind
// it is looked at. A payload may hold bytes that look like messages, also on purpose: the places that do not depend on
// payloads come first, no message has an offset that is far from what the bytes before it have room for, and the checksums
// of look-alikes are paid for by the bytes that were passed, so that the search takes time in proportion to what it reads.

import { MessageLayout, messageHeaderBytes } from "../protocol/message-layout.ts";
import {
  messageBytesMax,
  missingOffsetsMax,
  payloadBytesMax,
  searchWorkPerByte,
  storedEndsTried,
  userHeadersBytesMax,
} from "./limits.ts";
import { makeLargeRegion, type ScanRegion } from "./scan-memory.ts";

/** Bytes that a search needs: `target` is to be filled from `position` of the log. */
export interface ReadRequest {
  readonly position: number;
  readonly target: Uint8Array;
}

/** Where a log stops being what it should be. */
export interface DamagedPlace {
  readonly segmentStartOffset: number;
  /** Where the message `offset` starts, or should. */
  readonly position: number;
  readonly offset: number;
  /** End of what is searched. */
  readonly end: number;
  /** No message of this log has this offset or a later one. */
  readonly offsetEnd: number;
  /** Time of the message before, 0 where it is not known. */
  readonly timestampMicros: number;
  /** End position of a row by the stored index, which may be wrong; undefined where it has none. */
  readonly storedEnd: (row: number) => number | undefined;
}

export interface FoundMessage {
  readonly position: number;
  readonly offset: number;
  readonly timestampMicros: number;
}

interface Lengths {
  readonly payloadLength: number;
  readonly userHeadersLength: number;
}

interface Header extends Lengths {
  readonly offset: number;
  readonly timestampMicros: number;
}

type Search<T> = Generator<ReadRequest, T, number>;

/** The first whole message behind the damage; undefined where there is none. The answers are counts of bytes read. */
export function* findMessageBehind(place: DamagedPlace, region: ScanRegion): Search<FoundMessage | undefined> {
  return yield* new Resync(place, region).find();
}

/**
 * The end of the message that stands at the place, where it would be whole if one bit of its lengths were another (and the
 * log ended there, or the next message followed) or its offset were right; undefined otherwise.
 */
export function* findCorrectedEnd(place: DamagedPlace, region: ScanRegion): Search<number | undefined> {
  return yield* new Resync(place, region).correctedEnd();
}

/** The end that the message at the place gives itself, where its offset is right; undefined otherwise, or if it makes no sense. */
export function* findOwnEnd(place: DamagedPlace, region: ScanRegion): Search<number | undefined> {
  return yield* new Resync(place, region).ownEnd();
}

class Resync {
  readonly #place: DamagedPlace;
  #region: ScanRegion;

  constructor(place: DamagedPlace, region: ScanRegion) {
    this.#place = place;
    this.#region = region;
  }

  *find(): Search<FoundMessage | undefined> {
    const { position, offset, end } = this.#place;
    const header = yield* this.#headerAt(position);
    if (header === undefined) return undefined;
    const later = yield* this.#validAt(position, offset + 1, offset + missingOffsetsMax);
    if (later !== undefined) return later;
    for (const [likely, expected] of this.#likelyPlaces(header)) {
      const found = yield* this.#validAt(likely, expected, expected);
      if (found === undefined) continue;
      if (expected === offset + 1) return found;
      // The rows before it may be what is wrong, and not their messages.
      return (yield* this.#searchBytes(position + 1, found.position)) ?? found;
    }
    if (yield* this.#endsWithLog(header)) return undefined;
    return yield* this.#searchBytes(position + 1, end);
  }

  *correctedEnd(): Search<number | undefined> {
    const { position, offset, end } = this.#place;
    const header = yield* this.#headerAt(position);
    if (header === undefined) return undefined;
    for (const lengths of lengthsOf(header)) {
      const messageEnd = position + sizeOf(lengths);
      if (messageEnd > end) continue;
      // Checksums of what ends anywhere would cost much for a large message.
      const isOwn = messageEnd === position + sizeOf(header);
      const next = isOwn || messageEnd === end ? undefined : yield* this.#headerAt(messageEnd);
      if (!isOwn && messageEnd !== end && next?.offset !== offset + 1) continue;
      if (yield* this.#isWhole(position, messageEnd - position, { ...lengths, offset })) return messageEnd;
    }
    return undefined;
  }

  *ownEnd(): Search<number | undefined> {
    const { position, offset } = this.#place;
    const header = yield* this.#headerAt(position);
    if (header === undefined || header.offset !== offset || !isSane(header)) return undefined;
    return position + sizeOf(header);
  }

  /** Places where the next messages may stand, with their offsets. */
  *#likelyPlaces(header: Header): Iterable<readonly [position: number, offset: number]> {
    const { segmentStartOffset, position, offset, end, storedEnd } = this.#place;
    const isPossible = (at: number) => at > position && at + messageHeaderBytes <= end;
    if (isSane(header) && isPossible(position + sizeOf(header))) yield [position + sizeOf(header), offset + 1];
    const row = offset - segmentStartOffset;
    for (let ahead = 0; ahead < storedEndsTried; ahead++) {
      const stored = storedEnd(row + ahead);
      if (stored !== undefined && isPossible(stored)) yield [stored, offset + ahead + 1];
    }
    for (const lengths of lengthsOf(header)) {
      const at = position + sizeOf(lengths);
      if (isPossible(at)) yield [at, offset + 1];
    }
  }

  /** Whether the damaged message is the last one: then nothing behind its header is one, whatever its payload looks like. */
  *#endsWithLog(header: Header): Search<boolean> {
    const { segmentStartOffset, position, offset, end, storedEnd } = this.#place;
    if (header.offset === offset && isSane(header) && position + sizeOf(header) === end) return true;
    if (storedEnd(offset - segmentStartOffset) === end) return true;
    const sizeBytes = end - position;
    for (const lengths of lengthsOf(header)) {
      if (sizeOf(lengths) !== sizeBytes) continue;
      if (yield* this.#isWhole(position, sizeBytes, { ...lengths, offset })) return true;
    }
    return false;
  }

  /** The message at `position`, if it is whole and its offset is one of `offsetMin` to `offsetMax`. */
  *#validAt(position: number, offsetMin: number, offsetMax: number): Search<FoundMessage | undefined> {
    const header = yield* this.#headerAt(position);
    if (header === undefined || !isSane(header)) return undefined;
    const { end, offsetEnd, timestampMicros } = this.#place;
    const { offset } = header;
    if (offset < offsetMin || offset > offsetMax || offset >= offsetEnd) return undefined;
    // Times do not go back: what is older is left from a write that was undone.
    if (header.timestampMicros < timestampMicros || position + sizeOf(header) > end) return undefined;
    if (!(yield* this.#isWhole(position, sizeOf(header), header))) return undefined;
    return { position, offset, timestampMicros: header.timestampMicros };
  }

  *#searchBytes(from: number, end: number): Search<FoundMessage | undefined> {
    // Enough for the largest message at once, then as much as the passed bytes pay for.
    let spentBytes = -messageBytesMax;
    let windowStart = from;
    while (windowStart + messageHeaderBytes <= end) {
      const region = this.#region;
      const window = region.memory.subarray(
        region.messagesPosition,
        region.messagesPosition + Math.min(region.messagesSizeBytes, end - windowStart),
      );
      const got = yield { position: windowStart, target: window };
      if (got < messageHeaderBytes) return undefined;
      const view = new DataView(window.buffer, window.byteOffset, got);
      let at = 0;
      let isWindowLost = false;
      for (;;) {
        at = this.#nextLookAlike(view, windowStart, at, end);
        if (at < 0) break;
        const position = windowStart + at;
        const sizeBytes = sizeOf(headerIn(view, at));
        at++;
        if (spentBytes + sizeBytes > (position - from) * searchWorkPerByte) continue;
        spentBytes += sizeBytes;
        if (at - 1 + sizeBytes <= got) {
          if (isValid(region, region.messagesPosition + at - 1, sizeBytes, offsetIn(view, at - 1))) {
            return this.#foundIn(view, at - 1, position);
          }
          continue;
        }
        // It reaches behind the window: the window makes room for it and is read again.
        spentBytes += got;
        const found = yield* this.#validAt(position, 0, Number.MAX_SAFE_INTEGER); // the offset was checked
        if (found !== undefined) return found;
        isWindowLost = true;
        break;
      }
      windowStart += isWindowLost ? at : got - messageHeaderBytes + 1;
    }
    return undefined;
  }

  #foundIn(view: DataView, at: number, position: number): FoundMessage {
    const { offset, timestampMicros } = headerIn(view, at);
    return { position, offset, timestampMicros };
  }

  /** The next place in the window, from `at` on, where a later message may stand that ends by `end`; -1 if there is none. */
  #nextLookAlike(view: DataView, windowStart: number, at: number, end: number): number {
    const place = this.#place;
    const offsetMin = place.offset + 1;
    const highMin = Math.floor(offsetMin / 2 ** 32);
    for (let index = at; index + messageHeaderBytes <= view.byteLength; index++) {
      // Most places are no header by this one comparison.
      if (view.getUint32(index + MessageLayout.offset + 4, true) - highMin > 1) continue;
      const offset = offsetIn(view, index);
      if (offset < offsetMin || offset >= place.offsetEnd) continue;
      const position = windowStart + index;
      const possibleCount = Math.floor((position - place.position) / messageHeaderBytes) + missingOffsetsMax;
      if (offset > place.offset + possibleCount) continue;
      const header = headerIn(view, index);
      if (!isSane(header) || header.timestampMicros < place.timestampMicros) continue;
      if (position + sizeOf(header) <= end) return index;
    }
    return -1;
  }

  *#headerAt(position: number): Search<Header | undefined> {
    if (position + messageHeaderBytes > this.#place.end) return undefined;
    const { memory, messagesPosition } = this.#region;
    const target = memory.subarray(messagesPosition, messagesPosition + messageHeaderBytes);
    const got = yield { position, target };
    if (got < messageHeaderBytes) return undefined;
    return headerIn(new DataView(memory.buffer, target.byteOffset, messageHeaderBytes), 0);
  }

  /** Whether the message would be whole with these lengths and this offset. */
  *#isWhole(position: number, sizeBytes: number, fields: Lengths & Pick<Header, "offset">): Search<boolean> {
    if (sizeBytes > this.#region.messagesSizeBytes) this.#region = makeLargeRegion(sizeBytes);
    const { memory, messagesPosition } = this.#region;
    const target = memory.subarray(messagesPosition, messagesPosition + sizeBytes);
    const got = yield { position, target };
    if (got < sizeBytes) return false;
    const view = new DataView(memory.buffer, target.byteOffset, messageHeaderBytes);
    view.setUint32(MessageLayout.payloadLength, fields.payloadLength, true);
    view.setUint32(MessageLayout.userHeadersLength, fields.userHeadersLength, true);
    view.setBigUint64(MessageLayout.offset, BigInt(fields.offset), true);
    return isValid(this.#region, messagesPosition, sizeBytes, fields.offset);
  }
}

function isValid(region: ScanRegion, messagePosition: number, sizeBytes: number, offset: number): boolean {
  const { kernel, rowsPosition } = region;
  return kernel.scan(messagePosition, sizeBytes, offset, offset, 0, rowsPosition, 1).messagesCount === 1;
}

function offsetIn(view: DataView, at: number): number {
  const position = at + MessageLayout.offset;
  return view.getUint32(position + 4, true) * 2 ** 32 + view.getUint32(position, true);
}

function headerIn(view: DataView, at: number): Header {
  const timestampAt = at + MessageLayout.timestamp;
  return {
    offset: offsetIn(view, at),
    timestampMicros: view.getUint32(timestampAt + 4, true) * 2 ** 32 + view.getUint32(timestampAt, true),
    payloadLength: view.getUint32(at + MessageLayout.payloadLength, true),
    userHeadersLength: view.getUint32(at + MessageLayout.userHeadersLength, true),
  };
}

function sizeOf(header: Lengths): number {
  return messageHeaderBytes + header.payloadLength + header.userHeadersLength;
}

function isSane(header: Lengths): boolean {
  return header.payloadLength <= payloadBytesMax && header.userHeadersLength <= userHeadersBytesMax;
}

/** The lengths of the header as they are, and with each of their bits changed, as far as they make sense. */
function lengthsOf(header: Lengths): Lengths[] {
  const { payloadLength, userHeadersLength } = header;
  const lengths: Lengths[] = [{ payloadLength, userHeadersLength }];
  for (let bit = 0; bit < 32; bit++) {
    lengths.push({ payloadLength: (payloadLength ^ (1 << bit)) >>> 0, userHeadersLength });
    lengths.push({ payloadLength, userHeadersLength: (userHeadersLength ^ (1 << bit)) >>> 0 });
  }
  return lengths.filter(isSane);
}
