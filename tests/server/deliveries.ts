// What the members of a group have been given: whether it is in order, complete, and given to one member only.

export class Deliveries {
  readonly #isExclusive: boolean;
  readonly #sent = new Map<number, number>();
  /** Who was given each message, by partition and offset. */
  readonly #given = new Map<number, (string | undefined)[]>();

  /** `isExclusive`: no message may be given to two members. */
  constructor({ isExclusive }: { readonly isExclusive: boolean }) {
    this.#isExclusive = isExclusive;
  }

  /** So many messages more are in the partition. */
  sent(partitionId: number, count: number): void {
    this.#sent.set(partitionId, (this.#sent.get(partitionId) ?? 0) + count);
  }

  /** A member was given these offsets. Throws unless they follow each other, and nobody else has had them where that is a rule. */
  given(who: string, partitionId: number, offsets: readonly number[]): void {
    const given = this.#given.get(partitionId) ?? [];
    this.#given.set(partitionId, given);
    for (const [place, offset] of offsets.entries()) {
      if (offset !== offsets[0]! + place) throw new Error(`${who} was given ${partitionId}: ${offsets.join()}`);
      const other = given[offset];
      if (this.#isExclusive && other !== undefined && other !== who) {
        throw new Error(`${who} was given ${partitionId}: ${offset}, as was ${other}`);
      }
      given[offset] = who;
    }
  }

  /** Messages that nobody was given, as "partition: offset". */
  missing(): string[] {
    return [...this.#sent].flatMap(([partitionId, count]) => {
      const given = this.#given.get(partitionId) ?? [];
      return Array.from({ length: count }, (_, offset) => offset)
        .filter((offset) => given[offset] === undefined)
        .map((offset) => `${partitionId}: ${offset}`);
    });
  }
}
