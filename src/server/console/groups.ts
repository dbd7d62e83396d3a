// The consumer groups that a reader of the console may see, those that are furthest behind first, and whether they fall further
// behind: what was seen lately is kept for that, and only while somebody looks.
import { isAllowed } from "../../metadata/index.ts";
import type { GroupRow, Groups, GroupsQuery } from "../../protocol/console/groups.ts";
import { IggyError } from "../../protocol/errors.ts";
import type { ServerContext } from "../context.ts";
import { type GroupLag, readGroupLags } from "../group-lags.ts";
import { requireLogin, userOf } from "../rights.ts";
import type { Session } from "../session.ts";

/** Who asks so soon after somebody else gets the same. */
const freshMs = 1000;
/** Lags are compared with those of one or two such times ago, or of when somebody began to look. */
const generationMs = 30_000;

interface Sample {
  readonly atMs: number;
  readonly metadataVersion: number;
  readonly lags: readonly GroupLag[];
}

/** Lags as they were first seen in some time. */
interface Generation {
  readonly sinceMs: number;
  readonly lags: Map<GroupLag["group"], number>;
}

/** Where a row stands in the list. */
type Place = readonly [lag: number, stream: string, topic: string, name: string];

export class GroupLags {
  readonly #context: ServerContext;
  #latest: Sample | undefined;
  #reading: Promise<Sample> | undefined;
  #newer: Generation = { sinceMs: Number.NEGATIVE_INFINITY, lags: new Map() };
  #older: Generation = this.#newer;

  constructor(context: ServerContext) {
    this.#context = context;
  }

  /** Errors: 40; InvalidFormat (4) for an `after` that is none. */
  async list(session: Session, { sort, q, limit, after }: GroupsQuery): Promise<Groups> {
    requireLogin(session);
    const sample = await this.#sample();
    const user = userOf(this.#context.shard, session);
    const wanted = q.trim().toLowerCase();
    const compare = sort === "lag" ? byLag : byName;
    const start = after === undefined ? undefined : readCursor(after);
    const found = sample.lags
      .filter(({ stream, topic }) => isAllowed(user, "consumerGroup", stream.id, topic.id))
      .filter(({ stream, topic, group }) => `${stream.name}/${topic.name}/${group.name}`.toLowerCase().includes(wanted))
      .map((lag) => ({ lag, place: placeOf(lag) }))
      .filter(({ place }) => start === undefined || compare(place, start) > 0)
      .sort((left, right) => compare(left.place, right.place));
    const shown = found.slice(0, limit);
    const last = found.length > limit ? shown.at(-1) : undefined;
    return {
      items: shown.map(({ lag }) => this.#rowOf(lag)),
      ...(last === undefined ? {} : { next: writeCursor(last.place) }),
      at: String(this.#context.clock.nowMicros()),
    };
  }

  #rowOf({ stream, topic, group, lag, storedAtMicros }: GroupLag): GroupRow {
    const before = this.#older.lags.get(group) ?? this.#newer.lags.get(group);
    return {
      stream: stream.name,
      topic: topic.name,
      id: group.id,
      name: group.name,
      members: group.members.length,
      partitions: topic.partitions.length,
      lag: String(lag),
      growing: before === undefined ? null : lag > before,
      ...(storedAtMicros === undefined ? {} : { lastCommit: String(storedAtMicros) }),
    };
  }

  /** Who asks while the lags are read waits for the same. */
  #sample(): Promise<Sample> {
    const latest = this.#latest;
    const isFresh = latest !== undefined && performance.now() - latest.atMs < freshMs;
    if (isFresh && latest.metadataVersion === this.#context.shard.metadataVersion) return Promise.resolve(latest);
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #read(): Promise<Sample> {
    const { metadataVersion } = this.#context.shard;
    if (this.#latest !== undefined) this.#remember(this.#latest);
    const lags = await readGroupLags(this.#context.shard);
    this.#latest = { atMs: performance.now(), metadataVersion, lags };
    return this.#latest;
  }

  /** Of a sample that is no longer the latest. */
  #remember({ atMs, lags }: Sample): void {
    const nowMs = performance.now();
    if (nowMs - this.#newer.sinceMs > generationMs) {
      const isOver = nowMs - this.#newer.sinceMs > 2 * generationMs; // nobody has looked for long
      this.#older = isOver ? { sinceMs: nowMs, lags: new Map() } : this.#newer;
      this.#newer = { sinceMs: nowMs, lags: new Map() };
    }
    if (nowMs - atMs > 2 * generationMs) return;
    for (const { group, lag } of lags) if (!this.#newer.lags.has(group)) this.#newer.lags.set(group, lag);
  }
}

function placeOf({ lag, stream, topic, group }: GroupLag): Place {
  return [lag, stream.name, topic.name, group.name];
}

function byLag(left: Place, right: Place): number {
  return right[0] - left[0] || byName(left, right);
}

function byName(left: Place, right: Place): number {
  return compareTexts(left[1], right[1]) || compareTexts(left[2], right[2]) || compareTexts(left[3], right[3]);
}

function compareTexts(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

function writeCursor(place: Place): string {
  return Buffer.from(JSON.stringify(place)).toString("base64url");
}

function readCursor(text: string): Place {
  try {
    const place: unknown = JSON.parse(Buffer.from(text, "base64url").toString());
    if (Array.isArray(place) && place.length === 4 && typeof place[0] === "number") {
      const [lag, ...names] = place as [number, ...unknown[]];
      if (names.every((name) => typeof name === "string")) return [lag, names[0]!, names[1]!, names[2]!] as Place;
    }
  } catch {
    // No JSON is no place either.
  }
  throw new IggyError("InvalidFormat");
}
