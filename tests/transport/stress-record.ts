// What a stress test sent, what was acknowledged, what is there in the end. A message is `connection/partition/number`.
import { expect } from "bun:test";
import type { PolledMessage } from "../../src/protocol/message/poll-messages.ts";

const decoder = new TextDecoder();

/** Before the padding. */
function textOf(payload: Uint8Array): string {
  const end = payload.indexOf(0);
  return decoder.decode(end < 0 ? payload : payload.subarray(0, end));
}

export class StressRecord {
  readonly #sent = new Set<string>();
  readonly #acknowledged = new Set<string>();
  readonly #found = new Set<string>();
  /** By connection and partition: the number that must come next. */
  readonly #next = new Map<string, number>();

  sent(text: string): void {
    this.#sent.add(text);
  }

  acknowledged(texts: readonly string[]): void {
    for (const text of texts) this.#acknowledged.add(text);
  }

  /** Messages of a partition in their order, from `firstOffset`. Throws for one that is doubled, out of order or nobody's. */
  found(partitionId: number, firstOffset: number, messages: readonly PolledMessage[]): void {
    messages.forEach(({ offset, payload }, index) => {
      const text = textOf(payload);
      if (Number(offset) !== firstOffset + index) throw new Error(`offset ${offset} out of turn`);
      if (!this.#sent.has(text)) throw new Error(`nobody sent ${text}`);
      if (this.#found.has(text)) throw new Error(`${text} is there twice`);
      this.#found.add(text);
      const slash = text.lastIndexOf("/");
      const place = text.slice(0, slash);
      if (!place.endsWith(`/${partitionId}`)) throw new Error(`${text} is in partition ${partitionId}`);
      const expected = this.#next.get(place) ?? 0;
      // Requests of a connection are carried out in order, so that nothing but the end can be missing.
      if (Number(text.slice(slash + 1)) !== expected) throw new Error(`${text} came instead of number ${expected}`);
      this.#next.set(place, expected + 1);
    });
  }

  /** Everything that was acknowledged has been found. */
  check(): void {
    expect([...this.#acknowledged].filter((text) => !this.#found.has(text))).toEqual([]);
    expect(this.#acknowledged.size).toBeGreaterThan(1000);
  }

  get summary(): string {
    return `sent ${this.#sent.size}, acknowledged ${this.#acknowledged.size}, found ${this.#found.size}`;
  }
}
