// What a consumer or reader tells those who observe it: what came, what is worked on, what is stored, what happens in its group.

import { publish } from "../observe/channels.ts";
import {
  begin,
  type End,
  type Instrumentation,
  isObserved,
  type Operation,
  observed,
} from "../observe/instrumentation.ts";
import type { Message } from "../topic/message.ts";
import type { ConsumerEvent } from "./options.ts";

export type ConsumerHooks = Pick<Instrumentation, "receive" | "process" | "commit">;

export class ConsumerObserver {
  readonly #hooks: ConsumerHooks;
  readonly #place: Pick<Operation, "stream" | "topic" | "group">;

  constructor(
    hooks: ConsumerHooks,
    { stream, topic }: { readonly stream: string; readonly topic: string },
    group: string | undefined,
  ) {
    this.#hooks = hooks;
    this.#place = { stream, topic, ...(group !== undefined && { group }) };
  }

  /** Whether somebody wants to know of each message: asked before anything is made for it. */
  get watchesMessages(): boolean {
    return isObserved("process", this.#hooks.process);
  }

  /** Messages of a partition have come. */
  received(partitionId: number, messagesCount: number): End {
    return begin("receive", this.#hooks.receive, () => ({ ...this.#place, partitionId, messagesCount }));
  }

  /** A message, or a batch with its first one, is in the hands of the program. */
  processing(message: Message<unknown>, messagesCount: number): End {
    return begin("process", this.#hooks.process, () => this.#atWork(message, messagesCount));
  }

  /** The work on a message. */
  process(message: Message<unknown>, work: () => void | Promise<void>): Promise<void> {
    return observed("process", this.#hooks.process, () => this.#atWork(message, 1), work);
  }

  commit(partitionId: number, messagesCount: number, store: () => Promise<void>): Promise<void> {
    return observed("commit", this.#hooks.commit, () => ({ ...this.#place, partitionId, messagesCount }), store);
  }

  /** What happens to a member of a group. */
  happened(event: ConsumerEvent): void {
    if (this.#place.group !== undefined) publish("group", () => ({ ...this.#place, ...event }));
  }

  #atWork(message: Message<unknown>, messagesCount: number) {
    return { ...this.#place, partitionId: message.partitionId, messagesCount, message };
  }
}
