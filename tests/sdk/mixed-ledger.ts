// What is known of the mixed tour: what each producer was told is stored, what each member was given and committed, and when
// memberships began and ended. The clients write it as lines (fields between tabs, times in microseconds of the system's
// clock); the checks at the end are made of nothing else and of what the topic holds.

/** A batch that a producer was told is stored; the place is known where the protocol confirms it. */
export interface Sent {
  readonly producer: string;
  readonly first: number;
  readonly sums: readonly number[];
  readonly place: { readonly partition: number; readonly offset: number } | undefined;
}

/** What one poll brought, and what became of its commit: `ok`, or the error. */
export interface Polled {
  readonly member: string;
  readonly partition: number;
  readonly first: number;
  readonly sums: readonly number[];
  readonly started: number;
  readonly ended: number;
  readonly commit: string;
  readonly committed: number;
}

/** A membership began or ended between the two times. */
export interface Change {
  readonly member: string;
  readonly what: string;
  readonly started: number;
  readonly ended: number;
}

/** A message of the topic as the readers of both generations see it. */
export interface Stored {
  readonly producer: string;
  readonly number: number;
  readonly sum: number;
}

const failuresMax = 10;

function lastOf({ first, sums }: Polled): number {
  return first + sums.length - 1;
}

/** The first offset that both polls brought. */
function commonOffset(left: Polled, right: Polled): number {
  return Math.max(left.first, right.first);
}

export class MixedLedger {
  readonly sent: Sent[] = [];
  readonly polled: Polled[] = [];
  readonly changes: Change[] = [];
  /** Producers that send no more. */
  readonly done = new Set<string>();
  readonly failures: string[] = [];

  fail(text: string): void {
    if (this.failures.length < failuresMax) this.failures.push(text);
  }

  /** Takes a line of a client. Throws for one that is none. */
  take(line: string): void {
    const [kind, who = "", ...fields] = line.split("\t");
    const numbers = fields.map(Number);
    const sumsOf = (text: string | undefined) => (text ?? "").split(",").map(Number);
    if (kind === "done") {
      this.done.add(who);
    } else if (kind === "member") {
      const [what = ""] = fields;
      this.changes.push({ member: who, what, started: numbers[1]!, ended: numbers[2]! });
      if (what.includes("gap")) this.fail(`${who}: ${what}`);
    } else if (kind === "sent") {
      const place = fields[2] === "" ? undefined : { partition: numbers[2]!, offset: numbers[3]! };
      this.sent.push({ producer: who, first: numbers[0]!, sums: sumsOf(fields[1]), place });
    } else if (kind === "polled") {
      const [partition, first, , started, ended, , committed] = numbers as [number, number, ...number[]];
      const times = { started: started!, ended: ended!, committed: committed! };
      this.polled.push({ member: who, partition, first, sums: sumsOf(fields[2]), commit: fields[5]!, ...times });
    } else {
      throw new Error(`no line of the mixed tour: ${line}`);
    }
  }

  get sentCount(): number {
    return this.sent.reduce((count, { sums }) => count + sums.length, 0);
  }

  /** How often messages came to a second member, or again to the same. */
  redelivered = 0;

  /** Pairs of polls for which a late commit of a third one set the offset back. */
  wentBack = 0;

  /** Every check, with what the topic holds: messages by partition and offset. */
  check(topic: readonly (readonly Stored[])[]): void {
    this.#checkStored(topic);
    this.#checkPolled(topic);
    this.#checkOrder();
    for (const partition of topic.keys()) this.#checkTwice(partition);
  }

  /** The topic holds what the producers were told, once, in their order, where they were told, and nothing else. */
  #checkStored(topic: readonly (readonly Stored[])[]): void {
    const places = new Map<string, { partition: number; offset: number; sum: number }>();
    for (const [partition, messages] of topic.entries()) {
      const latest = new Map<string, number>();
      for (const [offset, { producer, number, sum }] of messages.entries()) {
        const name = `${producer} ${number}`;
        if (places.has(name)) this.fail(`${name} is stored twice`);
        places.set(name, { partition, offset, sum });
        if (number <= (latest.get(producer) ?? -1))
          this.fail(`${name} is behind a later one in partition ${partition}`);
        latest.set(producer, number);
      }
    }
    for (const { producer, first, sums, place } of this.sent) {
      const [start] = sums.map((sum, index) => {
        const name = `${producer} ${first + index}`;
        const found = places.get(name);
        if (found === undefined) this.fail(`${name} was acknowledged and is not stored`);
        else if (found.sum !== sum) this.fail(`${name} is stored with another content`);
        return found;
      });
      if (place !== undefined && (start?.partition !== place.partition || start.offset !== place.offset)) {
        this.fail(`${producer} ${first} is at ${JSON.stringify(start)}, confirmed for ${JSON.stringify(place)}`);
      }
    }
    const stored = topic.reduce((count, messages) => count + messages.length, 0);
    if (stored !== this.sentCount) this.fail(`${stored} messages are stored, ${this.sentCount} were acknowledged`);
  }

  /** Every message came to somebody, as it is stored. */
  #checkPolled(topic: readonly (readonly Stored[])[]): void {
    const missing = topic.map((messages) => new Set(messages.keys()));
    for (const { member, partition, first, sums } of this.polled) {
      for (const [index, sum] of sums.entries()) {
        const offset = first + index;
        if (topic[partition]?.[offset]?.sum !== sum)
          this.fail(`${member} got another content at ${partition}:${offset}`);
        missing[partition]?.delete(offset);
      }
    }
    for (const [partition, offsets] of missing.entries()) {
      if (offsets.size > 0)
        this.fail(`nobody got ${offsets.size} of partition ${partition}: ${[...offsets].slice(0, 5)}`);
    }
  }

  /** In each partition a member goes on behind what it has committed, and never back. */
  #checkOrder(): void {
    const committed = new Map<string, Polled>();
    for (const poll of this.polled) {
      const key = `${poll.member} ${poll.partition}`;
      const before = committed.get(key);
      if (before !== undefined && poll.first <= lastOf(before) && !this.#wentBack(before, poll)) {
        this.fail(`${key}: offset ${poll.first} came although ${lastOf(before)} was committed`);
      }
      if (poll.commit === "ok") committed.set(key, poll);
    }
  }

  /**
   * A message may come twice only where the first who had it did not commit it, and where somebody came or went in between:
   * then the partition has moved, or the member has. Two changes may take it away and give it back before a late commit.
   */
  #checkTwice(partition: number): void {
    const polls = this.polled.filter((poll) => poll.partition === partition).toSorted((a, b) => a.ended - b.ended);
    const latest: Polled[] = [];
    for (const poll of polls) {
      const earlier = new Set<Polled>();
      for (let offset = poll.first; offset <= lastOf(poll); offset++) {
        const before = latest[offset];
        if (before !== undefined) {
          earlier.add(before);
          this.redelivered++;
        }
        latest[offset] = poll;
      }
      for (const before of earlier) this.#checkPair(before, poll);
    }
  }

  #checkPair(before: Polled, after: Polled): void {
    const offset = commonOffset(before, after);
    const [one, other] = [before, after].map(
      ({ member, commit, started, ended, committed }) =>
        `${member} (${started} to ${ended}, ${commit} at ${committed})`,
    );
    const what = `${one} and ${other} both got ${after.partition}:${offset}`;
    const from = Math.min(before.started, after.started);
    if (this.#changesBetween(from, after.ended) === 0) this.fail(`${what}, and nobody came or went`);
    const fault = this.#faultOf(before, after);
    // Of polls at once the one that was answered first may have been served second.
    const areAtOnce = after.started < before.ended;
    if (fault !== undefined && !(areAtOnce && this.#faultOf(after, before) === undefined))
      this.fail(`${what}, ${fault}`);
  }

  /** Why the second may not have been served what the first was served before; undefined if it may. */
  #faultOf(first: Polled, second: Polled): string | undefined {
    if (first.commit !== "ok") return undefined;
    if (first.committed > second.started) return this.#hadItTwice(first) ? undefined : "and the first could commit it";
    return this.#wentBack(first, second) ? undefined : "although the first had committed it";
  }

  #changesBetween(from: number, to: number): number {
    return this.changes.filter(({ started, ended }) => started <= to && ended >= from).length;
  }

  /** The partition may have gone away and come back between the poll and its commit. */
  #hadItTwice(poll: Polled): boolean {
    return this.#changesBetween(poll.started, poll.committed) >= 2;
  }

  /**
   * The group's offset may have gone back in between: somebody who had polled before, and had lost the partition and got it
   * again since, committed late. Neither protocol can tell such a commit from one that means to go back.
   */
  #wentBack(before: Polled, after: Polled): boolean {
    const offset = commonOffset(before, after);
    const late = this.polled.find(
      (poll) =>
        poll.partition === before.partition &&
        poll.commit === "ok" &&
        lastOf(poll) < offset &&
        poll.committed >= before.ended &&
        poll.ended <= after.ended &&
        this.#hadItTwice(poll),
    );
    if (late !== undefined) this.wentBack++;
    return late !== undefined;
  }
}
