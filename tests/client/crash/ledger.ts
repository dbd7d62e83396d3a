// What a producer sent and what members of a group were given, while the broker is killed: what of that was wrong is noted at once,
// the rest is checked at the end.
import type { SendReceipt } from "../../../src/client/index.bun.ts";

/** A message that lies in the topic, as a reader finds it. */
export interface Stored {
  readonly partitionId: number;
  readonly offset: number;
  readonly value: string;
}

/** A batch that came to a member. */
interface Received {
  left: number;
  /** What of its partition was committed when it came. */
  readonly committed: number;
}

/** A partition in the hands of a member, from `onAssigned` on. */
interface Holding {
  /** Grows with every assignment of any partition. */
  readonly number: number;
  readonly batches: Received[];
}

export class Ledger {
  /** What should not have happened. */
  readonly wrong: string[] = [];
  /** By value. */
  readonly acknowledged = new Map<string, SendReceipt>();
  deliveriesCount = 0;
  repeatsCount = 0;
  /** Longest time for which a member went on with what it had after the partition had come to another one, ms. */
  unawareMsMax = 0;
  /** Offsets in the order of their first delivery, by partition. */
  readonly #firsts = new Map<number, Set<number>>();
  readonly #committed = new Map<number, number>();
  /** By member and partition. */
  readonly #holdings = new Map<string, Holding>();
  /** Of each partition the newest assignment under which something came, and when that began. */
  readonly #newest = new Map<number, { readonly number: number; readonly sinceMs: number }>();
  #assignments = 0;

  assigned(member: string, partitionIds: readonly number[]): void {
    for (const partitionId of partitionIds)
      this.#holdings.set(`${member} ${partitionId}`, { number: this.#assignments++, batches: [] });
  }

  lost(member: string, partitionIds: readonly number[]): void {
    for (const partitionId of partitionIds) this.#holdings.delete(`${member} ${partitionId}`);
  }

  /** Messages came to a member: to one at a time. */
  received(member: string, partitionId: number, messagesCount: number): void {
    const what = `${messagesCount} messages of partition ${partitionId} came to ${member}`;
    const holding = this.#holdings.get(`${member} ${partitionId}`);
    if (holding === undefined) {
      this.wrong.push(`${what}, who has not got it`);
      return;
    }
    holding.batches.push({ left: messagesCount, committed: this.#committed.get(partitionId) ?? -1 });
    const newest = this.#newest.get(partitionId);
    if (newest === undefined || newest.number < holding.number)
      this.#newest.set(partitionId, { number: holding.number, sinceMs: performance.now() });
    else if (newest.number > holding.number) this.wrong.push(`${what}, after it had come to another one`);
  }

  committed(offsets: ReadonlyMap<number, number>): void {
    for (const [partitionId, offset] of offsets)
      this.#committed.set(partitionId, Math.max(offset, this.#committed.get(partitionId) ?? -1));
  }

  delivered(member: string, partitionId: number, offset: number): void {
    this.deliveriesCount++;
    const what = `${member} was given ${offset} of partition ${partitionId}`;
    const holding = this.#holdings.get(`${member} ${partitionId}`);
    const [batch] = holding?.batches ?? [];
    if (holding === undefined || batch === undefined) {
      this.wrong.push(`${what}, ${holding === undefined ? "which it has not got" : "which did not come"}`);
      return;
    }
    if (offset <= batch.committed) this.wrong.push(`${what}, of which ${batch.committed} was committed when it came`);
    if (--batch.left === 0) holding.batches.shift();
    const newest = this.#newest.get(partitionId);
    if (newest !== undefined && newest.number > holding.number)
      this.unawareMsMax = Math.max(this.unawareMsMax, performance.now() - newest.sinceMs);
    const firsts = this.#firsts.get(partitionId) ?? new Set();
    this.#firsts.set(partitionId, firsts);
    if (firsts.has(offset)) this.repeatsCount++;
    firsts.add(offset);
  }

  /** Whether everything that is stored was delivered. */
  isComplete(stored: readonly Stored[]): boolean {
    return stored.every(({ partitionId, offset }) => this.#firsts.get(partitionId)?.has(offset));
  }

  /** What is wrong with all of it together. */
  check(stored: readonly Stored[]): readonly string[] {
    const wrong = [...this.wrong];
    const copies = Map.groupBy(stored, ({ value }) => value);
    for (const [value, { attempts }] of this.acknowledged) {
      const count = copies.get(value)?.length ?? 0;
      if (count === 0) wrong.push(`${value} was acknowledged and is missing`);
      if (count > attempts) wrong.push(`${value} is there ${count} times after ${attempts} attempts`);
    }
    for (const [partitionId, own] of Map.groupBy(stored, ({ partitionId }) => partitionId)) {
      const values = [...new Set(own.map(({ value }) => Number(value.split("/")[1])))];
      if (!isAscending(values)) wrong.push(`partition ${partitionId} is not in the order of the sends`);
      const firsts = [...(this.#firsts.get(partitionId) ?? [])];
      if (!isAscending(firsts)) wrong.push(`partition ${partitionId} was not delivered in order`);
      if (firsts.length !== own.length)
        wrong.push(`of ${own.length} of partition ${partitionId} ${firsts.length} came`);
    }
    return wrong;
  }
}

function isAscending(numbers: readonly number[]): boolean {
  return numbers.every((number, index) => index === 0 || number > numbers[index - 1]!);
}
