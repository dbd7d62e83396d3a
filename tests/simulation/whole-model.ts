/**
 * What a whole broker must still know after a crash. Names are given again, so everything is told apart by what was made
 * once: the time of its creation, or the id of its log.
 */
import { logIdOf, type MetadataState, rootUserId } from "../../src/metadata/index.ts";
import { assert } from "../../src/platform/assert.ts";
import { requireAsSent, type SentMessage, type StoredMessage } from "./messages.ts";
import type { CrashKind } from "./tracked-messages.ts";

/** By the name of a stream or user: what there is, and of which origin, as one text. */
export type Description = ReadonlyMap<string, string>;

export function describe(state: MetadataState): Description {
  const description = new Map<string, string>();
  for (const { id, name, createdAtMicros } of state.users.byId.values()) {
    if (id === rootUserId) continue; // made by each start that finds none
    description.set(`user ${name}`, String(createdAtMicros));
  }
  for (const stream of state.streams.byId.values()) {
    const lines = [`${stream.id} of ${stream.createdAtMicros}`];
    for (const topic of stream.topics.byId.values()) {
      lines.push(`topic ${topic.name} ${topic.id} of ${topic.createdAtMicros}`);
      for (const [id, { logBase }] of topic.partitions.entries()) lines.push(`  ${logIdOf(logBase, topic.id, id)}`);
      for (const group of topic.groups.byId.values()) lines.push(`  group ${group.name} ${group.id} ${group.logId}`);
    }
    description.set(`stream ${stream.name}`, lines.sort().join("\n"));
  }
  return description;
}

/** The state after each command that was answered; at level write a power loss may go back, but not behind what was synced. */
export class MetadataHistory {
  #known: Description[];
  /** Names whose commands were not answered. */
  readonly #unclear = new Set<string>();
  /** Ids of the logs and groups of persisted topics that were answered last, with the name of their stream. */
  #persisted: ReadonlyMap<string, string> = new Map();

  constructor(first: Description) {
    this.#known = [first];
  }

  unclear(name: string): void {
    this.#unclear.add(name);
  }

  answered(now: Description, persisted: ReadonlyMap<string, string>): void {
    this.#known.push(now);
    this.#persisted = persisted;
  }

  /** No power loss takes away what persisted topics keep their messages and offsets in. Before `recovered`. */
  requirePersisted(found: ReadonlyMap<string, string>): void {
    for (const [id, name] of this.#persisted) {
      assert(found.has(id) || this.#unclear.has(name), "what is persisted has its names", { id, name });
    }
    this.#persisted = found;
  }

  /** Passed to `synced` when a sync that begins now has succeeded. */
  get length(): number {
    return this.#known.length;
  }

  /** The metadata that were answered before are durable. */
  synced(length: number): void {
    this.#known = this.#known.slice(length - 1);
  }

  recovered(found: Description, mayGoBack: boolean): void {
    const possible = mayGoBack ? this.#known : [this.#known.at(-1)!];
    const names = new Set([...possible.flatMap((known) => [...known.keys()]), ...found.keys()]);
    for (const name of names) {
      if (this.#unclear.has(name)) continue;
      const got = found.get(name);
      assert(
        possible.some((known) => known.get(name) === got),
        "metadata are as they were answered",
        {
          name,
          got: String(got),
          expected: String(possible.at(-1)!.get(name)),
        },
      );
    }
    this.#unclear.clear();
    // What was found is what later answers build on; at level write nobody says yet that it is durable.
    this.#known = mayGoBack ? [found] : [...this.#known, found];
  }
}

export interface LoggedMessage {
  readonly sent: SentMessage;
  answer: "none" | "acknowledged" | "refused" | "lost";
  /** A power loss takes it no more. */
  isSafe: boolean;
}

/** One log of messages: a partition from its creation or purge on to the next purge or its deletion. */
export class LogModel {
  readonly id: string;
  /** A command ended it, or may have. */
  hasEnded = false;
  /** Sends and stored offsets are durable when they are answered, whatever the level. */
  readonly isPersisted: boolean;
  readonly offsets = new Map<string, OffsetModel>();
  readonly #messages: LoggedMessage[] = [];
  /** A power loss may leave parts of what was not durable. */
  #mayBeDamaged = false;

  constructor(id: string, isPersisted: boolean) {
    this.id = id;
    this.isPersisted = isPersisted;
  }

  sending(sent: readonly SentMessage[]): LoggedMessage[] {
    const added = sent.map((message): LoggedMessage => ({ sent: message, answer: "none", isSafe: false }));
    this.#messages.push(...added);
    return added;
  }

  offsetOf(consumer: string): OffsetModel {
    const known = this.offsets.get(consumer) ?? new OffsetModel();
    this.offsets.set(consumer, known);
    return known;
  }

  /** No message of it has this offset or a later one. */
  get offsetsEnd(): number {
    return this.#messages.filter(({ answer }) => answer !== "refused").length;
  }

  get acknowledged(): readonly LoggedMessage[] {
    return this.#messages.filter(({ answer }) => answer === "acknowledged");
  }

  /** `kind`: how the process ended. */
  recovered(stored: readonly StoredMessage[], damagedCount: number, kind: CrashKind, isSyncLevel: boolean): void {
    if (kind === "power") this.#mayBeDamaged = true;
    assert(damagedCount === 0 || this.#mayBeDamaged, "a kill damages nothing", { damagedCount });
    const byNumber = new Map(this.#messages.map((message) => [message.sent.number, message]));
    const present = new Set<number>();
    let last = -1;
    for (const message of stored) {
      const { number, offset } = message;
      const logged = byNumber.get(number);
      assert(logged !== undefined, "a partition returns only what was sent to it", { number, offset, log: this.id });
      requireAsSent(message, logged.sent);
      assert(number > last, "messages come in the order of sending, once", { number, offset });
      assert(kind === "power" || !["refused", "lost"].includes(logged.answer), "a kill brings nothing back", {
        number,
      });
      last = number;
      present.add(number);
    }
    for (const message of this.#messages) {
      const { sent, answer, isSafe } = message;
      const isDurable = isSyncLevel || this.isPersisted || isSafe || kind === "kill";
      const mustBeThere = answer === "acknowledged" && !this.hasEnded && isDurable;
      assert(!mustBeThere || present.has(sent.number), "what was acknowledged is recovered", {
        number: sent.number,
        log: this.id,
      });
      message.answer = present.has(sent.number) ? "acknowledged" : "lost";
    }
  }
}

/** The offset of one consumer in one log. */
export class OffsetModel {
  #current: number | undefined;
  /** What a power loss may bring back. */
  #possible = new Set<number | undefined>([undefined]);
  #unclear: (number | undefined)[] = [];

  /** Before the operation: it may not end. */
  changing(value: number | undefined): void {
    this.#unclear.push(value);
  }

  changed(value: number | undefined): void {
    this.#unclear = [];
    this.#current = value;
    this.#possible.add(value);
  }

  /** A sync of everything succeeded while nothing else came. */
  synced(): void {
    if (this.#unclear.length === 0) this.#possible = new Set([this.#current]);
  }

  /** `lastOffset` of the log, -1 where it is empty: an offset behind it is lowered. */
  recovered(got: number | undefined, kind: CrashKind, lastOffset: number): void {
    const values = [this.#current, ...this.#unclear, ...(kind === "power" ? this.#possible : [])];
    // The file may be there before its content.
    if (kind === "power" && this.#possible.has(undefined)) values.push(0);
    const lowered = values.map((value) => {
      if (value === undefined || lastOffset < 0) return undefined;
      return Math.min(value, lastOffset);
    });
    assert(lowered.includes(got), "an offset is one that its consumer stored", {
      got: String(got),
      possible: lowered.map(String).join(),
      kind,
    });
    for (const value of this.#unclear) this.#possible.add(value);
    this.#possible.add(got);
    this.#unclear = [];
    this.#current = got;
  }
}
