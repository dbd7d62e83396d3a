// Rows of a live view: the newest first, a bounded number, and where each partition goes on.
import type { PolledMessages } from "../../client/console-client.ts";
import type { Gap, ShownMessage } from "./window.ts";

export type TailRow =
  | { readonly kind: "message"; readonly key: string; readonly message: ShownMessage }
  /** Offsets that the page was too slow for. */
  | { readonly kind: "skip"; readonly key: string; readonly gap: Gap }
  | { readonly kind: "purged"; readonly key: string; readonly partitionId: number };

export const tailRowsMax = 2000;

export class TailRows {
  /** Newest first. */
  #rows: readonly TailRow[] = [];
  /** By partition, the offset that comes next. */
  readonly #next = new Map<number, bigint>();
  #count = 0;

  /** `first`: messages that are there already, newest first. */
  constructor(first: readonly ShownMessage[]) {
    this.#rows = first.map(messageRow);
    for (const { partitionId, offset } of first) {
      if ((this.#next.get(partitionId) ?? -1n) <= offset) this.#next.set(partitionId, offset + 1n);
    }
  }

  get rows(): readonly TailRow[] {
    return this.#rows;
  }

  /** Messages that have come since the beginning, also those whose rows have left. */
  get count(): number {
    return this.#count;
  }

  /** Where a tail goes on, as its arguments say it. */
  get positions(): Readonly<Record<string, string>> {
    return Object.fromEntries([...this.#next].map(([partitionId, offset]) => [String(partitionId), String(offset)]));
  }

  add({ partitionId, messages }: PolledMessages): void {
    const last = messages.at(-1);
    if (last === undefined) return;
    this.#next.set(partitionId, last.offset + 1n);
    this.#count += messages.length;
    this.#put(messages.map((message) => messageRow({ ...message, partitionId })).reverse());
  }

  skip(partitionId: number, from: bigint, to: bigint): void {
    this.#next.set(partitionId, to + 1n);
    this.#put([{ kind: "skip", key: `skip ${partitionId} ${from}`, gap: { partitionId, from, to } }]);
  }

  purge(partitionId: number): void {
    this.#next.set(partitionId, 0n);
    this.#put([{ kind: "purged", key: `purged ${partitionId} ${this.#count}`, partitionId }]);
  }

  #put(rows: readonly TailRow[]): void {
    this.#rows = [...rows, ...this.#rows].slice(0, tailRowsMax);
  }
}

function messageRow(message: ShownMessage): TailRow {
  return { kind: "message", key: `${message.partitionId} ${message.offset}`, message };
}
