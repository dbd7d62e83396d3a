// Finds shards that do not turn their event loop: a loop without an end, a system call that does not return. Each shard adds to
// a number in shared memory once a second and stores there which work it began last; the main thread, which does nothing
// else, sees a number that stays. Storing costs a nanosecond, so every request may do it.
import { commandNameOf } from "../protocol/codes.ts";
import { extensionNameOf } from "../protocol/extensions/codes.ts";
import type { ShardRequestKind } from "./messages.ts";

export const beatMs = 1000;
/** A loop that has not turned for so long is told and counted. */
export const stalledMs = 5000;

const fieldsPerShard = 6;
const Field = { beats: 0, step: 1, stallsCount: 2, isStalled: 3, delayMs: 4, delaySumMs: 5 } as const;

/** Work that is no command of a client and no request of another shard. */
const ownWork = [
  "nothing yet",
  "the writes of a turn",
  "the saver",
  "the cleaner of messages",
  "other maintenance",
] as const;
export type OwnWork = (typeof ownWork)[number];

const requestKinds = [
  "append",
  "read",
  "offset",
  "oldestSegment",
  "deleteSegments",
  "flush",
  "control",
  "apply",
  "syncMetadata",
  "backup",
  "link",
  "clients",
  "makeRoom",
  "statistics",
  "report",
  "disconnectClient",
] as const satisfies readonly ShardRequestKind[];

/** Steps are numbers: own work from 0, requests of other shards from here, commands by code from there. */
const firstRequest = 100;
const firstCommand = 1000;

const stepOfRequest = new Map<ShardRequestKind, number>(
  requestKinds.map((kind, index) => [kind, firstRequest + index]),
);

function describeStep(step: number): string {
  if (step >= firstCommand) {
    const code = step - firstCommand;
    return `the command ${commandNameOf(code) ?? extensionNameOf(code) ?? code}`;
  }
  const kind = requestKinds[step - firstRequest];
  return kind === undefined ? (ownWork[step] ?? String(step)) : `a request of another shard (${kind})`;
}

/** Memory that the main thread makes once and hands to every shard. */
export function createLoopMemory(shardCount: number): SharedArrayBuffer {
  return new SharedArrayBuffer(shardCount * fieldsPerShard * Int32Array.BYTES_PER_ELEMENT);
}

/** The shard's side. */
export class LoopPulse {
  readonly #fields: Int32Array;
  readonly #base: number;
  #timer: Timer | undefined;

  constructor(memory: SharedArrayBuffer, shardId: number) {
    this.#fields = new Int32Array(memory);
    this.#base = shardId * fieldsPerShard;
  }

  /** Until the first beat nobody watches: a start may take its time. */
  start(): void {
    let dueMs = performance.now();
    const beat = () => {
      Atomics.add(this.#fields, this.#base + Field.beats, 1);
      const lateMs = Math.round(performance.now() - dueMs);
      dueMs = performance.now() + beatMs;
      Atomics.add(this.#fields, this.#base + Field.delaySumMs, Math.max(lateMs, 0));
      if (lateMs > Atomics.load(this.#fields, this.#base + Field.delayMs)) {
        Atomics.store(this.#fields, this.#base + Field.delayMs, lateMs);
      }
    };
    beat();
    this.#timer = setInterval(beat, beatMs);
  }

  stop(): void {
    clearInterval(this.#timer);
    Atomics.store(this.#fields, this.#base + Field.beats, 0);
  }

  /** What this shard does from now on. Not atomic: a word is never torn, and soon enough is early enough. */
  began(work: OwnWork): void {
    this.#fields[this.#base + Field.step] = ownWork.indexOf(work);
  }

  /** The same for a command of a client, by code. */
  beganCommand(code: number): void {
    this.#fields[this.#base + Field.step] = firstCommand + code;
  }

  /** The same for a request of another shard. */
  beganRequest(kind: ShardRequestKind): void {
    this.#fields[this.#base + Field.step] = stepOfRequest.get(kind) ?? 0;
  }

  /** Whether any shard of the process, as the main thread sees it, has not turned for long (`stalledMs`). */
  get isAnyStalled(): boolean {
    for (let index: number = Field.isStalled; index < this.#fields.length; index += fieldsPerShard) {
      if (Atomics.load(this.#fields, index) !== 0) return true;
    }
    return false;
  }

  /** By how much the latest beat of any shard of the process was late since this was asked last, ms. */
  takeDelayMs(shardId: number): number {
    return Atomics.exchange(this.#fields, shardId * fieldsPerShard + Field.delayMs, 0);
  }

  /** By how much all beats of this shard were late, ms. */
  get delaySumMs(): number {
    return Atomics.load(this.#fields, this.#base + Field.delaySumMs) >>> 0;
  }

  /** How often this shard was found not to turn. */
  get stallsCount(): number {
    return Atomics.load(this.#fields, this.#base + Field.stallsCount);
  }
}

export interface LoopReport {
  readonly shardId: number;
  /** Whether it turns again. */
  readonly isOver: boolean;
  readonly stalledMs: number;
  /** What the shard began last. */
  readonly step: string;
}

interface Watched {
  beats: number;
  silentMs: number;
  /** Told again at twice the time. */
  nextReportMs: number;
}

/** The main thread's side. */
export class LoopWatch {
  readonly #fields: Int32Array;
  readonly #shards: readonly Watched[];
  readonly #onReport: (report: LoopReport) => void;
  #lookedMs: number | undefined;

  constructor(memory: SharedArrayBuffer, onReport: (report: LoopReport) => void) {
    this.#fields = new Int32Array(memory);
    const shardCount = this.#fields.length / fieldsPerShard;
    this.#shards = Array.from({ length: shardCount }, () => ({ beats: 0, silentMs: 0, nextReportMs: stalledMs }));
    this.#onReport = onReport;
  }

  /** Looks at every shard; to be called once a beat. `nowMs` of any clock that does not step. */
  look(nowMs: number): void {
    // A process that was suspended has not stalled: no more passes between two looks than a little late ones have.
    const passedMs = Math.min(nowMs - (this.#lookedMs ?? nowMs), 2 * beatMs);
    this.#lookedMs = nowMs;
    for (const [shardId, watched] of this.#shards.entries()) this.#lookAt(shardId, watched, passedMs);
  }

  #lookAt(shardId: number, watched: Watched, passedMs: number): void {
    const base = shardId * fieldsPerShard;
    const beats = Atomics.load(this.#fields, base + Field.beats);
    const step = describeStep(Atomics.load(this.#fields, base + Field.step));
    if (beats === 0 || beats !== watched.beats) {
      const hasStalled = watched.silentMs >= stalledMs;
      if (hasStalled) {
        Atomics.store(this.#fields, base + Field.isStalled, 0);
        this.#onReport({ shardId, isOver: true, stalledMs: watched.silentMs, step });
      }
      watched.beats = beats;
      watched.silentMs = 0;
      watched.nextReportMs = stalledMs;
      return;
    }
    watched.silentMs += passedMs;
    if (watched.silentMs < watched.nextReportMs) return;
    if (watched.nextReportMs === stalledMs) {
      Atomics.add(this.#fields, base + Field.stallsCount, 1);
      Atomics.store(this.#fields, base + Field.isStalled, 1);
    }
    watched.nextReportMs *= 2;
    this.#onReport({ shardId, isOver: false, stalledMs: watched.silentMs, step });
  }
}
