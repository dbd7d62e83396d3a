// Which partitions a consumer reads: those that its group gives it, or those that it names, or all of the topic.

import { IggyError } from "../../protocol/errors.ts";
import type { ConsumerCommands, Turn } from "./commands.ts";
import { type AssignmentChanges, GroupMember } from "./member.ts";

export interface Assignment {
  /** Time between two rounds. */
  readonly roundMs: number;
  /** Whether partitions belong to a membership, which ends with the connection. */
  readonly isMembership: boolean;
  /** Whether nothing is left to find out: the next round may wait as long as the server says that nothing has changed. */
  readonly isSettled: boolean;
  /** Before the first round, and again after the membership ended. */
  join(): Promise<void>;
  leave(): Promise<void>;
  /** What is different since the last round. */
  round(): Promise<AssignmentChanges>;
  /** Whether the reply to a poll says that the partition is gone. */
  isRefusal(asked: number, reply: Turn): Promise<boolean>;
  forget(partitionId: number): void;
  forgetAll(): void;
}

const memberRoundMs = 1_000;
const partitionsRoundMs = 60_000;

export class GroupAssignment implements Assignment {
  readonly roundMs = memberRoundMs;
  readonly isMembership = true;
  readonly #commands: ConsumerCommands;
  readonly #createsGroup: boolean;
  readonly #member: GroupMember;

  constructor(commands: ConsumerCommands, createsGroup: boolean) {
    this.#commands = commands;
    this.#createsGroup = createsGroup;
    this.#member = new GroupMember(commands);
  }

  get isSettled(): boolean {
    return this.#member.isSettled;
  }

  async join(): Promise<void> {
    try {
      await this.#commands.joinGroup();
    } catch (error) {
      const isMissing = error instanceof IggyError && error.errorName.startsWith("ConsumerGroup");
      if (!isMissing || !this.#createsGroup) throw error;
      await this.#commands.createGroup();
      await this.#commands.joinGroup();
    }
  }

  leave(): Promise<void> {
    return this.#commands.leaveGroup();
  }

  round(): Promise<AssignmentChanges> {
    return this.#member.round();
  }

  isRefusal(asked: number, reply: Turn): Promise<boolean> {
    return this.#member.isRefusal(asked, reply);
  }

  forget(partitionId: number): void {
    this.#member.forget(partitionId);
  }

  forgetAll(): void {
    this.#member.forgetAll();
  }
}

export class FixedAssignment implements Assignment {
  readonly roundMs = partitionsRoundMs;
  readonly isMembership = false;
  readonly isSettled = true;
  readonly #commands: ConsumerCommands;
  readonly #named: readonly number[] | undefined;
  readonly #known = new Set<number>();

  /** `named`: these partitions; if not given, all, also those that are added. */
  constructor(commands: ConsumerCommands, named: readonly number[] | undefined) {
    this.#commands = commands;
    this.#named = named;
  }

  async join(): Promise<void> {}

  async leave(): Promise<void> {}

  async round(): Promise<AssignmentChanges> {
    const wanted = this.#named ?? Array.from({ length: await this.#commands.partitionsCount() }, (_, id) => id);
    const assigned = wanted.filter((id) => !this.#known.has(id));
    const lost = [...this.#known].filter((id) => !wanted.includes(id));
    for (const id of lost) this.#known.delete(id);
    for (const id of assigned) this.#known.add(id);
    return { assigned, revoking: [], lost };
  }

  async isRefusal(): Promise<boolean> {
    return false;
  }

  forget(partitionId: number): void {
    this.#known.delete(partitionId);
  }

  forgetAll(): void {
    this.#known.clear();
  }
}
