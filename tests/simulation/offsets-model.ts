/**
 * What a partition must know of its consumers' offsets (spec SB 3.9): written in place at once, durable with the next sync
 * of the partition.
 */
import { assert } from "../../src/platform/assert.ts";
import type { ConsumerKey } from "../../src/storage/types.ts";
import type { CrashKind } from "./tracked-messages.ts";

export const consumerKeys: readonly ConsumerKey[] = [
  { kind: "consumer", id: 1 },
  { kind: "consumer", id: 4_000_000_000 },
  { kind: "group", id: 1 },
  { kind: "group", id: 2 },
];

type Value = number | undefined;

interface Known {
  current: Value;
  /** After an operation that did not end: what the value may be instead. */
  doubts: Set<Value> | undefined;
  /** The durable value, and all that came later: a power loss may bring back any of them. */
  history: Value[];
}

export class OffsetsModel {
  readonly #known = new Map<ConsumerKey, Known>();
  #isInDoubt = false;

  get(key: ConsumerKey): Value {
    return this.#of(key).current;
  }

  /** Smallest stored offset, or undefined. */
  get smallest(): number | undefined {
    const values = consumerKeys.map((key) => this.get(key)).filter((value) => value !== undefined);
    return values.length === 0 ? undefined : Math.min(...values);
  }

  /** A sync fails, or will: nothing is known to be durable any more. */
  syncMayFail(): void {
    this.#isInDoubt = true;
  }

  /** Before the operation, because it may not end. */
  changing(key: ConsumerKey, value: Value): void {
    const known = this.#of(key);
    known.doubts = (known.doubts ?? new Set([known.current])).add(value).add(undefined);
    known.history.push(value);
  }

  /** `mayFallBack`: the process says so, but the file says something else, and nothing tells whose it is. */
  changed(key: ConsumerKey, value: Value, mayFallBack = false): void {
    const known = this.#of(key);
    known.current = value;
    if (!mayFallBack) known.doubts = undefined;
  }

  /** A sync of everything begins; pass the answer to `synced` when it succeeded. */
  syncing(): ReadonlyMap<ConsumerKey, number> {
    return new Map(
      [...this.#known]
        .filter(([, { doubts }]) => doubts === undefined)
        .map(([key, { history }]) => [key, history.length - 1]),
    );
  }

  synced(covered: ReadonlyMap<ConsumerKey, number>): void {
    if (this.#isInDoubt) return;
    for (const [key, count] of covered) this.#of(key).history.splice(0, count);
  }

  /** It is gone and never comes back. */
  ended(key: ConsumerKey): void {
    this.#known.set(key, { current: undefined, doubts: undefined, history: [undefined] });
  }

  /** `lastOffset` of the log, -1 if it is empty: an offset past it is lowered to it (spec SB 3.7). */
  recovered(key: ConsumerKey, got: Value, kind: CrashKind, lastOffset: number): void {
    const known = this.#of(key);
    const possible = new Set<Value>(known.doubts ?? [known.current]);
    if (kind === "power") {
      for (const value of known.history) possible.add(value);
      if (known.history.includes(undefined)) possible.add(0); // the file's size is there, its content is not
    }
    const lowered = [...possible].map((value) => {
      if (value === undefined) return value;
      return lastOffset < 0 ? undefined : Math.min(value, lastOffset);
    });
    assert(lowered.includes(got), "a stored consumer offset is recovered", {
      consumer: `${key.kind} ${key.id}`,
      got: String(got),
      possible: lowered.map(String).join(),
      kind,
    });
    known.current = got;
    known.doubts = undefined;
    known.history.push(got); // a lowered one is written
    const wasLowered = got === lastOffset || got === undefined;
    if (kind === "power" && !wasLowered) known.history = [got];
  }

  #of(key: ConsumerKey): Known {
    const known = this.#known.get(key) ?? {
      current: undefined,
      doubts: undefined,
      history: [undefined],
    };
    this.#known.set(key, known);
    return known;
  }
}
