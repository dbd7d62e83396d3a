/** What a partition must know of its consumers' offsets: written in place, never synced on purpose (spec SB 3.9). */
import { assert } from "../../src/platform/assert.ts";
import type { ConsumerKey } from "../../src/storage/types.ts";
import type { CrashKind } from "./model.ts";

export const consumerKeys: readonly ConsumerKey[] = [
  { kind: "consumer", id: 1 },
  { kind: "consumer", id: 4_000_000_000 },
  { kind: "group", id: 1 },
  { kind: "group", id: 2 },
];

type Value = number | undefined;

export class OffsetsModel {
  readonly #current = new Map<ConsumerKey, Value>();
  /** After an operation that did not end: what the value may be instead. */
  readonly #doubts = new Map<ConsumerKey, Set<Value>>();
  /** All that was ever stored: a power loss may bring back any of it. */
  readonly #ever = new Map<ConsumerKey, Set<Value>>();

  get(key: ConsumerKey): Value {
    return this.#current.get(key);
  }

  /** Before the operation, because it may not end. */
  changing(key: ConsumerKey, value: Value): void {
    const doubts = this.#doubts.get(key) ?? new Set([this.#current.get(key)]);
    this.#doubts.set(key, doubts.add(value).add(undefined));
    const ever = this.#ever.get(key) ?? new Set();
    this.#ever.set(key, ever.add(value));
  }

  changed(key: ConsumerKey, value: Value): void {
    this.#current.set(key, value);
    this.#doubts.delete(key);
  }

  /** The operation failed for a reason that leaves everything as it was. */
  unchanged(key: ConsumerKey): void {
    this.#doubts.delete(key);
  }

  /** `lastOffset` of the log, -1 if it is empty: an offset past it is lowered to it (spec SB 3.7). */
  recovered(key: ConsumerKey, got: Value, kind: CrashKind, lastOffset: number): void {
    const possible = new Set<Value>(this.#doubts.get(key) ?? [this.#current.get(key)]);
    if (kind === "power") {
      for (const value of this.#ever.get(key) ?? []) possible.add(value);
      possible.add(undefined);
      if (this.#ever.has(key)) possible.add(0); // the file's size is there, its content is not
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
    this.#current.set(key, got);
    this.#doubts.delete(key);
    if (got !== undefined) this.#ever.set(key, (this.#ever.get(key) ?? new Set()).add(got)); // lowered ones are written
  }
}
