// What belongs to a group's member. The server tells a member nothing; it finds out with polls of count 0 that name no
// partition: each takes a turn and answers whose turn it is, without those that are promised to others, and nothing is noted
// as polled (spec SB 4.6, 6.4). What a turn can not tell is asked for:
//
// - The answer to a member to whom nothing belongs has the same bytes as the turn of partition 0 without messages, and so has
//   the turn of a partition that moves at that moment. Whether partition 0 is the member's is then told by `isMine`.
// - Turns skip numbers when partitions come or go in the middle of a round. So a partition counts as missing after two rounds
//   without it; then a poll that names it tells a promised one, which is still served, from one that is gone.

import { type ConsumerCommands, mayMeanNothing, type Turn } from "./commands.ts";

/** Turns asked for in one round at most; a member of more partitions needs several rounds until it has seen all. */
export const turnsMax = 100;
/** Rounds without a partition until it is asked for by name. */
const missingRoundsMax = 2;
/** Turns of the first round that go out together, before it is known how many are needed. */
const firstTurns = 4;

export type MemberCommands = Pick<ConsumerCommands, "turn" | "poll" | "isMine">;

/** `promised`: to another member, and served to this one until everything that it polled is committed. */
export type OwnedState = "owned" | "promised";

export interface AssignmentChanges {
  /** Came, or came back: a promise ended before the partition had moved. */
  readonly assigned: readonly number[];
  readonly revoking: readonly number[];
  readonly lost: readonly number[];
}

interface Owned {
  state: OwnedState;
  missingRounds: number;
}

export class GroupMember {
  readonly #commands: MemberCommands;
  readonly #owned = new Map<number, Owned>();
  /** Largest head seen of partition 0: one that had messages does not answer 0 without a purge. */
  #head0 = 0;
  /** What an unfinished round has seen, of a member with very many partitions. */
  #seen = new Set<number>();
  #turnsExpected = firstTurns;

  constructor(commands: MemberCommands) {
    this.#commands = commands;
  }

  /** State of each partition that the member has, in the order of their numbers. */
  get partitions(): ReadonlyMap<number, OwnedState> {
    return new Map([...this.#owned].sort(([a], [b]) => a - b).map(([id, { state }]) => [id, state]));
  }

  /** Whether every partition was seen in the last round, and none is on its way to another member. */
  get isSettled(): boolean {
    for (const { state, missingRounds } of this.#owned.values())
      if (state !== "owned" || missingRounds > 0) return false;
    return this.#seen.size === 0;
  }

  /** What a poll has found: a head above 0 tells an answer of partition 0 from one that says "nothing". */
  noteHead({ partitionId, headOffset }: Turn): void {
    if (partitionId === 0) this.#head0 = Math.max(this.#head0, headOffset);
  }

  /** The partition is known to be gone: a poll or a commit was refused. False if it was not there. */
  forget(partitionId: number): boolean {
    return this.#owned.delete(partitionId);
  }

  /** Membership ended with its connection. Returns what the member had. */
  forgetAll(): number[] {
    const partitionIds = [...this.partitions.keys()];
    this.#owned.clear();
    this.#seen.clear();
    this.#head0 = 0;
    return partitionIds;
  }

  /** Asks for a round of turns and returns what is different since the last one. Rejects as the commands do. */
  async round(): Promise<AssignmentChanges> {
    if (!(await this.#takeTurns())) return { assigned: this.#claim(this.#seen), revoking: [], lost: [] };
    const seen = this.#seen;
    this.#seen = new Set();
    this.#turnsExpected = Math.min(seen.size + 1, turnsMax);
    const assigned = this.#claim(seen);
    const revoking: number[] = [];
    const lost: number[] = [];
    for (const [partitionId, owned] of [...this.#owned]) {
      if (seen.has(partitionId)) continue;
      owned.missingRounds++;
      if (owned.missingRounds < missingRoundsMax) continue;
      if (await this.#isServed(partitionId)) {
        if (owned.state === "owned") revoking.push(partitionId);
        owned.state = "promised";
      } else if (this.forget(partitionId)) {
        lost.push(partitionId);
      }
    }
    return { assigned, revoking, lost };
  }

  /** Takes turns until a number repeats. False: not yet seen all, after as many turns as a round may have. */
  async #takeTurns(): Promise<boolean> {
    const seen = this.#seen;
    const before = seen.size;
    let isNothingSeen = false;
    for (let asked = 0; asked < turnsMax; ) {
      const count = Math.min(asked === 0 ? this.#turnsExpected : firstTurns, turnsMax - asked);
      asked += count;
      const turns = await Promise.all(Array.from({ length: count }, () => this.#commands.turn()));
      let isRepeated = false;
      for (const turn of turns) {
        if (mayMeanNothing(turn) && !seen.has(0)) {
          isRepeated ||= isNothingSeen;
          isNothingSeen = true;
          continue;
        }
        this.noteHead(turn);
        // What an earlier part of a long round has seen repeats as well.
        isRepeated ||= seen.has(turn.partitionId);
        seen.add(turn.partitionId);
      }
      if (!isRepeated) continue;
      if (isNothingSeen && !seen.has(0) && (await this.#commands.isMine(0))) this.#seePartition0(seen);
      return true;
    }
    return before === seen.size;
  }

  /** Empty, or purged: what was known of its head is over. */
  #seePartition0(seen: Set<number>): void {
    this.#head0 = 0;
    seen.add(0);
  }

  #claim(seen: ReadonlySet<number>): number[] {
    const assigned: number[] = [];
    for (const partitionId of [...seen].sort((a, b) => a - b)) {
      const owned = this.#owned.get(partitionId);
      if (owned?.state !== "owned") assigned.push(partitionId);
      this.#owned.set(partitionId, { state: "owned", missingRounds: 0 });
    }
    return assigned;
  }

  /** Whether a poll that names the partition is answered by it. */
  async #isServed(partitionId: number): Promise<boolean> {
    const reply = await this.#commands.poll({
      partitionId,
      from: { kind: "offset", offset: 0 },
      count: 0,
      autoCommit: false,
    });
    if (reply.partitionId !== partitionId) return false;
    return mayMeanNothing(reply) ? this.#commands.isMine(partitionId) : true;
  }

  /**
   * Whether a reply to a poll that named a partition says that it is gone. An answer that may mean "nothing" or an empty
   * partition 0 is asked about where the partition had messages; where it had none it makes no difference before the next round.
   */
  async isRefusal(asked: number, reply: Turn): Promise<boolean> {
    if (reply.partitionId !== asked) return true;
    if (!mayMeanNothing(reply) || this.#head0 === 0) {
      this.noteHead(reply);
      return false;
    }
    if (!(await this.#commands.isMine(0))) return true;
    this.#head0 = 0;
    return false;
  }
}
