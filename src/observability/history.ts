// What the broker did in the last 30 days, in memory of a fixed size: numbers of the whole broker in three rings (5 s for an
// hour, a minute for a day, ten minutes for 30 days), and those of the topics and groups that were active lately in two each
// (15 s for an hour, five minutes for a day). Of those, the one that was inactive longest makes room for another.
import { type ColumnKind, Ring } from "./history-ring.ts";

export interface Column {
  readonly name: string;
  readonly kind: ColumnKind;
}

/** Times since the epoch, ms: nothing was measured between them. */
export type Gap = readonly [fromMs: number, toMs: number];

/** Where the points of an answer are. */
export interface Plan {
  readonly startMs: number;
  readonly stepMs: number;
  readonly pointsCount: number;
  /** Index of the ring, and its rows. */
  readonly tier: number;
  readonly firstSlot: number;
  readonly perPoint: number;
}

type TierShape = readonly [stepMs: number, length: number];

const secondMs = 1000;
const minuteMs = 60 * secondMs;
export const sampleMs = 5 * secondMs;
const brokerTiers: readonly TierShape[] = [
  [sampleMs, 720],
  [minuteMs, 1440],
  [10 * minuteMs, 4320],
];
const subjectTiers: readonly TierShape[] = [
  [15 * secondMs, 240],
  [5 * minuteMs, 288],
];
/** Of one topic or group; what they are depends on which it is. */
export const subjectColumns = 3;
/** What a subject takes beside its rings, about. */
const subjectOverheadBytes = 512;
/** Without a sample for so long there is a gap. */
const gapMs = 3 * sampleMs;
const gapsMax = 256;
const keptMs = 30 * 24 * 60 * minuteMs;

/** A topic or a group. */
export class Subject {
  /** Tells it from one that had its numbers before: when it was made. */
  readonly since: number;
  readonly rings: readonly Ring[];
  lastActiveMs = 0;

  constructor(since: number) {
    this.since = since;
    const kinds: readonly ColumnKind[] = Array.from({ length: subjectColumns }, () => "mean");
    this.rings = subjectTiers.map(([stepMs, length]) => new Ring(stepMs, length, kinds));
  }
}

export class History {
  readonly columns: readonly Column[];
  readonly rings: readonly Ring[];
  readonly subjects = new Map<string, Subject>();
  readonly subjectsMax: number;
  readonly #indexes: ReadonlyMap<string, number>;
  readonly #model = new Subject(0);
  #gaps: Gap[] = [];
  #lastMs: number | undefined;
  /** The next sample is the first of this process. */
  #isAfterRestore = false;

  /** `memoryBytes`: for all of it; what the broker's own numbers leave is for topics and groups. */
  constructor(columns: readonly Column[], memoryBytes: number) {
    this.columns = columns;
    this.#indexes = new Map(columns.map(({ name }, index) => [name, index]));
    const kinds = columns.map(({ kind }) => kind);
    this.rings = brokerTiers.map(([stepMs, length]) => new Ring(stepMs, length, kinds));
    const ownBytes = this.rings.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    const subjectBytes = this.#model.rings.reduce((sum, { sizeBytes }) => sum + sizeBytes, subjectOverheadBytes);
    this.subjectsMax = Math.max(0, Math.floor((memoryBytes - ownBytes) / subjectBytes));
  }

  /** Empty: what the rings of a topic or group are like. */
  get subjectRings(): readonly Ring[] {
    return this.#model.rings;
  }

  get gaps(): readonly Gap[] {
    return this.#gaps;
  }

  /** Of the newest sample, ms since the epoch. */
  get lastMs(): number | undefined {
    return this.#lastMs;
  }

  /** A sample of the broker, one value for each column, NaN where it is not known. */
  add(atMs: number, values: ArrayLike<number>): void {
    const last = this.#lastMs;
    if (last !== undefined && (this.#isAfterRestore || atMs - last > gapMs) && atMs > last) {
      this.#gaps.push([last, atMs]);
      this.#gaps = this.#gaps.filter(([, to]) => to > atMs - keptMs).slice(-gapsMax);
    }
    this.#isAfterRestore = false;
    this.#lastMs = atMs;
    for (const ring of this.rings) ring.add(atMs, values);
  }

  /**
   * A sample of a topic or group. One that is not known yet is remembered only when it is active. `values`: as many as
   * `subjectColumns`.
   */
  addSubject(key: string, since: number, atMs: number, values: ArrayLike<number>, isActive: boolean): void {
    let subject = this.subjects.get(key);
    if (subject !== undefined && subject.since !== since) {
      this.subjects.delete(key);
      subject = undefined;
    }
    if (subject === undefined) {
      if (!isActive || !this.#makeRoom()) return;
      subject = new Subject(since);
      this.subjects.set(key, subject);
    }
    if (isActive) subject.lastActiveMs = atMs;
    for (const ring of subject.rings) ring.add(atMs, values);
  }

  /** Undefined: it was never active, or long ago. */
  subject(key: string, since: number): Subject | undefined {
    const subject = this.subjects.get(key);
    return subject?.since === since ? subject : undefined;
  }

  /** At most `pointsMax` + 1 points, of the finest rows that reach back to `fromMs`. */
  plan(rings: readonly Ring[], fromMs: number, toMs: number, nowMs: number, pointsMax: number): Plan {
    // Who asks for the last hour means the ring of an hour, though the question took its time.
    const found = rings.findIndex(({ stepMs, length }) => stepMs * (length + 1) >= nowMs - fromMs);
    const tier = found === -1 ? rings.length - 1 : found;
    const ring = rings[tier]!;
    const reach = ring.slotAt(nowMs) - ring.length + 1;
    const from = Math.max(ring.slotAt(fromMs), reach, 0);
    const to = Math.max(ring.slotAt(Math.min(toMs, nowMs)), from);
    const perPoint = Math.max(1, Math.ceil((to - from + 1) / pointsMax));
    const firstSlot = Math.floor(from / perPoint) * perPoint;
    const pointsCount = Math.floor((to - firstSlot) / perPoint) + 1;
    const { stepMs } = ring;
    return { startMs: firstSlot * stepMs, stepMs: perPoint * stepMs, pointsCount, tier, firstSlot, perPoint };
  }

  /** Undefined: there is no such column. */
  column(name: string, { tier, firstSlot, perPoint, pointsCount }: Plan): Float64Array | undefined {
    const index = this.#indexes.get(name);
    return index === undefined ? undefined : this.rings[tier]!.read(index, firstSlot, perPoint, pointsCount);
  }

  /** Takes over what an earlier process has measured until `lastMs`. */
  restored(lastMs: number | undefined, gaps: readonly Gap[]): void {
    this.#lastMs = lastMs;
    this.#gaps = gaps.slice(-gapsMax);
    this.#isAfterRestore = lastMs !== undefined;
  }

  #makeRoom(): boolean {
    if (this.subjects.size < this.subjectsMax) return true;
    let idlest: string | undefined;
    let idlestMs = Number.POSITIVE_INFINITY;
    for (const [key, { lastActiveMs }] of this.subjects) {
      if (lastActiveMs >= idlestMs) continue;
      idlest = key;
      idlestMs = lastActiveMs;
    }
    if (idlest === undefined) return false;
    this.subjects.delete(idlest);
    return true;
  }
}
