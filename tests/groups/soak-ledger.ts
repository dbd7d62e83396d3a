// What a soak of a consumer group knows: which messages were acknowledged to their producers, and which were processed.
import type { PolledMessages } from "../../src/protocol/message/poll-messages.ts";

const decoder = new TextDecoder();

export class Ledger {
  /** Messages of each partition that the server has acknowledged: their offsets are 0 to this, exclusive. */
  readonly acknowledged: number[];
  /** The first offset of each partition that nobody has processed. */
  readonly #firstMissing: number[];
  /** Processed offsets beyond that. */
  readonly #beyond: Set<number>[];
  readonly failures: string[] = [];
  processed = 0;
  redelivered = 0;

  constructor(partitionsCount: number) {
    this.acknowledged = new Array<number>(partitionsCount).fill(0);
    this.#firstMissing = new Array<number>(partitionsCount).fill(0);
    this.#beyond = this.acknowledged.map(() => new Set());
  }

  fail(text: string): void {
    if (this.failures.length < 20) this.failures.push(text);
  }

  /** A message says where it is to be: each partition has one producer, which waits for its acknowledgements. */
  static textOf(partitionId: number, offset: number): string {
    return `${partitionId}:${offset}`;
  }

  /**
   * Messages were given to a member as the group's next. What lies before them is committed, and whoever commits has
   * processed it before: so nothing may be missing there.
   */
  given(who: string, { partitionId, messages }: PolledMessages): void {
    const first = Number(messages[0]?.offset ?? 0);
    const missing = this.#firstMissing[partitionId]!;
    if (first > missing) {
      this.fail(`${who} was given ${partitionId}:${first}, and nobody has processed ${partitionId}:${missing}`);
    }
    for (const [index, { offset, payload }] of messages.entries()) {
      const text = decoder.decode(payload);
      if (Number(offset) !== first + index || text !== Ledger.textOf(partitionId, first + index)) {
        this.fail(`${who} was given ${text} with offset ${offset} at place ${index} behind ${partitionId}:${first}`);
        return;
      }
    }
  }

  /** A member has processed the messages. */
  process(partitionId: number, messages: PolledMessages["messages"]): void {
    const beyond = this.#beyond[partitionId]!;
    for (const message of messages) {
      const offset = Number(message.offset);
      if (offset < this.#firstMissing[partitionId]! || beyond.has(offset)) this.redelivered++;
      else beyond.add(offset);
      this.processed++;
    }
    let first = this.#firstMissing[partitionId]!;
    while (beyond.delete(first)) first++;
    this.#firstMissing[partitionId] = first;
  }

  /** Acknowledged messages that nobody has processed, as "partition: from first missing to end". */
  missing(): string[] {
    return this.acknowledged.flatMap((end, partitionId) => {
      const first = this.#firstMissing[partitionId]!;
      return first === end ? [] : [`${partitionId}: ${first} to ${end}, and ${this.#beyond[partitionId]!.size} beyond`];
    });
  }
}
