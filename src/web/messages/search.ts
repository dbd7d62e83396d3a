// A search through the messages of a topic, over ordinary polls: it needs the right to poll and nothing of the broker. It is
// bounded by messages, bytes and time, says how far it came, and goes on from there.
import type { PolledMessage, PollingStrategy } from "../../client/console-client.ts";
import type { Direction, Position, ScanLimit } from "../app/address.ts";
import type { Poll, ShownMessage } from "./window.ts";

export type SearchLimits = { readonly messages: number; readonly bytes: number; readonly ms: number };

const megabyte = 1024 * 1024;

export const searchLimits: Readonly<Record<ScanLimit, SearchLimits>> = {
  "10k": { messages: 10_000, bytes: 16 * megabyte, ms: 5_000 },
  "100k": { messages: 100_000, bytes: 64 * megabyte, ms: 10_000 },
  "1m": { messages: 1_000_000, bytes: 256 * megabyte, ms: 60_000 },
};

/** `all`: there is nothing more in that direction. `found`: as many hits as are shown. */
export type SearchEnd = "all" | "messages" | "bytes" | "time" | "found" | "stopped";

export type SearchProgress = {
  readonly scanned: number;
  readonly bytes: number;
  readonly ms: number;
  /** In the order in which they were found. */
  readonly found: readonly ShownMessage[];
  /** Undefined while it runs. */
  readonly end: SearchEnd | undefined;
};

/** Hits that are kept. */
export const foundMax = 500;
const pollMessagesMax = 1000;
/** Their size is not known yet. */
const firstPollMessages = 10;
const pollBytesWanted = megabyte;
/** Of one look of the broker. */
const scanMessagesMax = 10_000;
const scanBytesWanted = 8 * megabyte;

/** A part of a partition that the broker looks through; `next`: the first offset that was not looked at. */
export type ScannedPart = {
  readonly found: readonly PolledMessage[];
  readonly scanned: number;
  readonly bytes: number;
  readonly next: bigint;
  readonly firstMicros: bigint;
  readonly lastMicros: bigint;
};

/** `to`: the last offset. Rejects where the broker does not do it. */
export type Scan = (partitionId: number, from: bigint, to: bigint) => Promise<ScannedPart>;

type Place = {
  readonly partitionId: number;
  /** The next offset to look at; undefined: where the position says. */
  next: bigint | undefined;
  /** Of the message that was looked at last. */
  lastMicros: bigint | undefined;
  isDone: boolean;
};

export class Search {
  readonly #poll: Poll;
  readonly #isHit: (message: PolledMessage) => boolean;
  readonly #from: Position;
  readonly #isOlder: boolean;
  readonly #places: readonly Place[];
  #progress: SearchProgress = { scanned: 0, bytes: 0, ms: 0, found: [], end: undefined };
  #pollMessages = firstPollMessages;
  #scanMessages = firstPollMessages;
  /** Undefined: the page reads all by itself. */
  #scan: Scan | undefined;
  #isStopped = false;

  constructor(
    poll: Poll,
    partitionIds: readonly number[],
    from: Position,
    direction: Direction,
    isHit: (message: PolledMessage) => boolean,
    scan?: Scan,
  ) {
    this.#scan = scan;
    this.#poll = poll;
    this.#isHit = isHit;
    this.#from = from;
    this.#isOlder = direction === "older";
    this.#places = partitionIds.map((partitionId) => ({
      partitionId,
      next: undefined,
      lastMicros: undefined,
      isDone: false,
    }));
  }

  get progress(): SearchProgress {
    return this.#progress;
  }

  /** It ends with the poll that is on its way. */
  stop(): void {
    this.#isStopped = true;
  }

  /** Looks on until one of the limits, each counted from here, is reached. Errors: those of the polls. */
  async run(limits: SearchLimits, onProgress: (progress: SearchProgress) => void): Promise<SearchProgress> {
    this.#isStopped = false;
    const { scanned, bytes, ms, found } = this.#progress;
    const before = { scanned, bytes, ms, found: found.length };
    const startedMs = performance.now();
    for (;;) {
      const end = this.#endOf(limits, before, performance.now() - startedMs);
      this.#progress = { ...this.#progress, ms: before.ms + (performance.now() - startedMs), end };
      onProgress(this.#progress);
      if (end !== undefined) return this.#progress;
      await this.#look(Math.max(1, limits.messages - (this.#progress.scanned - before.scanned)));
    }
  }

  #endOf(
    limits: SearchLimits,
    before: { readonly scanned: number; readonly bytes: number; readonly found: number },
    ms: number,
  ): SearchEnd | undefined {
    const { scanned, bytes, found } = this.#progress;
    if (this.#places.every(({ isDone }) => isDone)) return "all";
    if (found.length - before.found >= foundMax) return "found";
    if (this.#isStopped) return "stopped";
    if (scanned - before.scanned >= limits.messages) return "messages";
    if (bytes - before.bytes >= limits.bytes) return "bytes";
    return ms >= limits.ms ? "time" : undefined;
  }

  /** Whether the broker looks through the messages, and not the page. */
  get isAtBroker(): boolean {
    return this.#scan !== undefined;
  }

  /** A part of the partition that is behind the others in time, so that what is found comes in the order of time, roughly. */
  async #look(messagesMax: number): Promise<void> {
    const place = this.#nextPlace();
    if (this.#scan === undefined) {
      await this.#lookByPoll(place, messagesMax);
      return;
    }
    try {
      await this.#lookAtBroker(this.#scan, place, messagesMax);
    } catch {
      this.#scan = undefined; // it has no room for it, or is an older one: a poll says what is wrong, if anything is
    }
  }

  async #lookAtBroker(scan: Scan, place: Place, messagesMax: number): Promise<void> {
    const { partitionId } = place;
    const cursor = place.next ?? (await this.#startOf(partitionId));
    if (cursor === undefined || cursor < 0n) {
      place.isDone = true;
      return;
    }
    const room = BigInt(Math.min(this.#scanMessages, messagesMax)) - 1n;
    const start = this.#isOlder ? (cursor > room ? cursor - room : 0n) : cursor;
    const end = this.#isOlder ? cursor : cursor + room;
    let scanned = 0;
    let bytes = 0;
    const found: PolledMessage[] = [];
    let from = start;
    do {
      const part = await scan(partitionId, from, end);
      if (part.scanned === 0) break;
      // In the direction of time: the oldest of the part, or the newest.
      if (!this.#isOlder) place.lastMicros = part.lastMicros;
      else if (scanned === 0) place.lastMicros = part.firstMicros;
      scanned += part.scanned;
      bytes += part.bytes;
      found.push(...part.found);
      from = part.next;
      // What is newer than the rest of an older part comes before anything older still.
    } while (this.#isOlder && from <= end);
    this.#scanMessages = fitting(scanBytesWanted, bytes, scanned, scanMessagesMax);
    if (scanned === 0 || (this.#isOlder && start === 0n)) place.isDone = true;
    place.next = this.#isOlder ? start - 1n : from;
    this.#note(partitionId, this.#isOlder ? found.toReversed() : found, scanned, bytes);
  }

  async #lookByPoll(place: Place, messagesMax: number): Promise<void> {
    const count = Math.min(this.#pollMessages, messagesMax);
    const messages = await this.#read(place, count);
    const bytes = messages.reduce((sum, { payload, userHeaders }) => sum + payload.length + userHeaders.length, 0);
    const last = messages.at(-1);
    if (last === undefined) {
      place.isDone = true;
      return;
    }
    place.lastMicros = last.timestampMicros;
    place.next = this.#isOlder ? last.offset - 1n : last.offset + 1n;
    if (place.next < 0n) place.isDone = true;
    this.#pollMessages = fitting(pollBytesWanted, bytes, messages.length, pollMessagesMax);
    this.#note(place.partitionId, messages, messages.length, bytes);
  }

  #note(partitionId: number, messages: readonly PolledMessage[], count: number, readBytes: number): void {
    const hits = messages.filter((message) => this.#isHit(message)).map((message) => ({ ...message, partitionId }));
    const { scanned, bytes, found } = this.#progress;
    this.#progress = {
      ...this.#progress,
      scanned: scanned + count,
      bytes: bytes + readBytes,
      found: hits.length === 0 ? found : [...found, ...hits],
    };
  }

  #nextPlace(): Place {
    const open = this.#places.filter(({ isDone }) => !isDone);
    return open.reduce((best, place) => {
      if (best.lastMicros === undefined) return best;
      if (place.lastMicros === undefined) return place;
      const isBehind = this.#isOlder ? place.lastMicros > best.lastMicros : place.lastMicros < best.lastMicros;
      return isBehind ? place : best;
    });
  }

  /** In the direction of the search; empty: there is nothing more. */
  async #read(place: Place, count: number): Promise<readonly PolledMessage[]> {
    const { partitionId } = place;
    const cursor = place.next ?? (await this.#startOf(partitionId));
    if (cursor === undefined || cursor < 0n) return [];
    if (!this.#isOlder) return await this.#poll(partitionId, { kind: "offset", value: cursor }, count);
    const first = cursor - BigInt(count) + 1n;
    const start = first < 0n ? 0n : first;
    const found = await this.#poll(partitionId, { kind: "offset", value: start }, Number(cursor - start) + 1);
    const wanted = found.filter(({ offset }) => offset <= cursor);
    const last = wanted.at(-1);
    // A reply has bounds of its own: what it has no room for is in front of what came, and is asked for first.
    if (last !== undefined && last.offset < cursor && found.length <= Number(cursor - start) && count > 1) {
      return await this.#read({ ...place, next: cursor }, Math.floor(count / 2));
    }
    return wanted.toReversed();
  }

  /** Offset of the first message to look at; undefined: there is none. */
  async #startOf(partitionId: number): Promise<bigint | undefined> {
    const from = this.#from;
    const one = async (strategy: PollingStrategy) => (await this.#poll(partitionId, strategy, 1))[0]?.offset;
    switch (from.kind) {
      case "newest":
        return this.#isOlder ? await one({ kind: "last", value: 0n }) : undefined;
      case "oldest":
        return this.#isOlder ? undefined : await one({ kind: "first", value: 0n });
      case "offset":
        return from.offset;
      case "each":
        return from.offsets.find(([id]) => id === partitionId)?.[1];
      default: {
        const first = await one({ kind: "timestamp", value: BigInt(Date.parse(from.text)) * 1000n });
        if (!this.#isOlder) return first;
        return first === undefined ? await one({ kind: "last", value: 0n }) : first - 1n;
      }
    }
  }
}

/** How many messages are so many bytes, by the size of the last ones. */
function fitting(bytesWanted: number, bytes: number, messages: number, messagesMax: number): number {
  const average = Math.max(1, bytes / Math.max(1, messages));
  return Math.max(1, Math.min(messagesMax, Math.floor(bytesWanted / average)));
}
