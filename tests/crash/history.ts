/**
 * What a load has asked of the broker and what was answered, with the moments of both. A moment is a number that only grows;
 * for a crash at moment `cut`, what was answered before it must hold, what was asked after it cannot, and what lies between
 * may.
 */

/** A request: asked at one moment, answered at another or never. */
export class Call {
  readonly askedAt: number;
  answeredAt = Number.POSITIVE_INFINITY;
  answeredMs = Number.POSITIVE_INFINITY;

  constructor(askedAt: number) {
    this.askedAt = askedAt;
  }

  mayBeDone(cut: Cut): boolean {
    return this.askedAt <= cut.at;
  }

  mustBeDone(cut: Cut): boolean {
    return this.answeredAt <= cut.at;
  }
}

/** A request that was carried out before everything that can be asked about. */
export function doneCall(): Call {
  const call = new Call(0);
  call.answeredAt = 0;
  call.answeredMs = 0;
  return call;
}

/** The crash that a history is held against. */
export interface Cut {
  readonly at: number;
  /** Milliseconds since 1970 before which answered offsets are durable; infinity where nothing that was answered is lost. */
  readonly durableBeforeMs: number;
  /** Whether power was lost: what is not synced may be kept or lost in any order. */
  readonly isPowerLoss: boolean;
}

/** Kill -9: what was answered stays. */
export const nothingLost: Cut = {
  at: Number.MAX_VALUE,
  durableBeforeMs: Number.POSITIVE_INFINITY,
  isPowerLoss: false,
};

/** Something that is made and perhaps removed, once each. */
export class Lifetime {
  readonly name: string;
  made: Call;
  removed: Call | undefined;

  constructor(name: string, made: Call) {
    this.name = name;
    this.made = made;
  }

  mayExist(cut: Cut): boolean {
    return this.made.mayBeDone(cut) && !(this.removed?.mustBeDone(cut) ?? false);
  }

  mustExist(cut: Cut): boolean {
    return this.made.mustBeDone(cut) && !(this.removed?.mayBeDone(cut) ?? false);
  }

  /** From now on it is certain. */
  settle(exists: boolean): void {
    this.made = doneCall();
    this.removed = exists ? undefined : doneCall();
  }
}

/** A value that is replaced from time to time, such as a stored offset; undefined: there is none. */
export interface Setting<T> {
  readonly value: T | undefined;
  readonly call: Call;
  /** Whether it is as durable as metadata, or only after a while. */
  readonly isDurableAtOnce: boolean;
}

/** The values that may be found. */
export function possibleValues<T>(settings: readonly Setting<T>[], cut: Cut): readonly (T | undefined)[] {
  let values: (T | undefined)[] = [undefined];
  for (const { value, call, isDurableAtOnce } of settings) {
    if (!call.mayBeDone(cut)) break;
    const isCertain = call.mustBeDone(cut) && (isDurableAtOnce || call.answeredMs < cut.durableBeforeMs);
    values = isCertain ? [value] : [...values, value];
  }
  return values;
}

/** Messages of one send. */
export interface Send {
  readonly producer: number;
  readonly firstNumber: number;
  readonly count: number;
  /** How many purges of the partition were asked for before. */
  readonly purgesBefore: number;
  readonly call: Call;
}

/** Removal of the oldest segment. */
export interface SegmentDeletion {
  readonly call: Call;
  /** First offset that was there afterwards, or would be given next; undefined if nobody could look. */
  firstOffset: number | undefined;
  /** Whether nothing was left. */
  isEmpty: boolean;
}

export class PartitionHistory extends Lifetime {
  /** Written into each of its messages: nobody else's has it. */
  readonly mark: number;
  readonly id: number;
  sends: Send[] = [];
  /** Purges that are settled are only counted. */
  purges: Call[] = [];
  settledPurgesCount = 0;
  segmentDeletions: SegmentDeletion[] = [];
  /** By consumer. */
  readonly offsets = new Map<number, Setting<bigint>[]>();
  /** Messages by offset that an earlier crash was found to have left: they must stay. */
  found: ReadonlyMap<number, number> = new Map();
  /** Where they begin and end; both the next offset where there are none. */
  foundFirst = 0;
  foundEnd = 0;
  readonly #numbers = new Map<number, number>();

  /** Whether the broker itself removes the oldest segments. */
  readonly hasSizeLimit: boolean;

  constructor(id: number, mark: number, made: Call, hasSizeLimit: boolean) {
    super(`partition ${id}`, made);
    this.id = id;
    this.mark = mark;
    this.hasSizeLimit = hasSizeLimit;
  }

  get purgesCount(): number {
    return this.settledPurgesCount + this.purges.length;
  }

  /** Takes the producer's next `count` numbers and gives the first. */
  take(producer: number, count: number): number {
    const number = this.#numbers.get(producer) ?? 0;
    this.#numbers.set(producer, number + count);
    return number;
  }

  /** How many messages are there for certain while no purge is under way. */
  get certainCount(): number {
    let count = this.purges.length === 0 ? this.foundEnd : 0;
    for (const { purgesBefore, call, count: sent } of this.sends) {
      if (purgesBefore === this.purgesCount && call.answeredAt < Number.POSITIVE_INFINITY) count += sent;
    }
    return count;
  }

  setOffset(consumer: number, setting: Setting<bigint>): void {
    const settings = this.offsets.get(consumer) ?? [];
    settings.push(setting);
    this.offsets.set(consumer, settings);
  }

  /** A purge takes the messages and the offsets. */
  purge(call: Call): void {
    this.purges.push(call);
    for (const consumer of this.offsets.keys()) {
      this.setOffset(consumer, { value: undefined, call, isDurableAtOnce: true });
    }
  }
}

export class GroupHistory extends Lifetime {
  /** By partition number. */
  readonly offsets = new Map<number, Setting<bigint>[]>();
}

export class TopicHistory extends Lifetime {
  partitions: PartitionHistory[] = [];
  groups: GroupHistory[] = [];
}

export class StreamHistory extends Lifetime {
  topics: TopicHistory[] = [];
}

export class UserHistory extends Lifetime {
  readonly passwords: Setting<string>[] = [];
}

/** Everything that a load has done. */
export class History {
  streams: StreamHistory[] = [];
  users: UserHistory[] = [];
  tokens: Lifetime[] = [];
  readonly #now: () => number;
  #marksCount = 0;

  /** `now` gives the present moment. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Notes the moment before a request leaves, then its answer. What it rejects with stays unanswered. */
  async run<T>(note: (call: Call) => void, request: () => Promise<T>): Promise<T> {
    const call = new Call(this.#now());
    note(call);
    const reply = await request();
    call.answeredAt = this.#now();
    call.answeredMs = Date.now();
    return reply;
  }

  newMark(): number {
    return ++this.#marksCount;
  }
}
