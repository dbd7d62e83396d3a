// The subscriptions of one shard: how many may be open, and which of them a change of the metadata concerns.
import type { MetadataEvent } from "../../metadata/index.ts";
import { IggyError } from "../../protocol/errors.ts";
import { subscriptionsPerConnectionMax } from "../../protocol/extensions/subscribe.ts";
import type { Shard } from "../../shard/index.ts";
import { isServerFault } from "../faults.ts";
import type { Session } from "../session.ts";
import { isHarmlessForReaders } from "../waiting/harmless-events.ts";
import type { PushTarget } from "./push-target.ts";
import type { SubscribedState } from "./state.ts";
import { type Desk, type Subscribed, Subscriber } from "./subscriber.ts";

export interface SubscriptionDeskOptions {
  readonly shard: Shard;
  /** Most that are open on all shards, and of one user; 0: no limit. */
  readonly limits: { readonly ofAll: number; readonly ofUser: number };
  /** A bug, or a file that cannot be read, has ended one: for the log. */
  readonly onFailure: (session: Session, error: unknown) => void;
}

export class SubscriptionDesk implements Desk {
  readonly shard: Shard;
  readonly #options: SubscriptionDeskOptions;
  /** By stream. */
  readonly #open = new Map<number, Map<Subscribed, Subscriber>>();

  constructor(options: SubscriptionDeskOptions) {
    this.shard = options.shard;
    this.#options = options;
  }

  /** Subscriptions that are open on this shard. */
  get count(): number {
    let count = 0;
    for (const open of this.#open.values()) count += open.size;
    return count;
  }

  /**
   * The subscriber that a session has from now on. FeatureUnavailable (5) where nothing can be pushed to it, or too many are open;
   * InvalidCommand (3) where it has one with this number.
   */
  begin(session: Session, state: SubscribedState): void {
    const { pushTarget } = session;
    if (pushTarget === undefined || session.transport === "quic") throw new IggyError("FeatureUnavailable");
    const subscriber = session.subscriber ?? new Subscriber(this, session, pushTarget);
    if (subscriber.isClosed) throw new IggyError("FeatureUnavailable");
    if (subscriber.has(state.id)) throw new IggyError("InvalidCommand");
    const isRoom = subscriber.count < subscriptionsPerConnectionMax;
    if (!isRoom || !this.shard.counters.subscriptions.begin(state.userId, 1, this.#options.limits)) {
      this.shard.statistics.add("refusedSubscriptions");
      throw new IggyError("FeatureUnavailable");
    }
    session.subscriber = subscriber;
    subscriber.add(state);
  }

  /** The connection has come from another shard with these, which are counted already. */
  resume(session: Session, pushTarget: PushTarget, states: readonly SubscribedState[]): void {
    if (states.length === 0) return;
    const subscriber = new Subscriber(this, session, pushTarget);
    session.subscriber = subscriber;
    for (const state of states) subscriber.add(state);
    subscriber.recheck(); // what has changed meanwhile was told to nobody
  }

  /** The connection did not arrive. */
  lost(states: readonly SubscribedState[]): void {
    for (const { userId } of states) this.shard.counters.subscriptions.end(userId, 1);
  }

  add(subscriber: Subscriber, one: Subscribed): void {
    const ofStream = this.#open.get(one.streamId);
    if (ofStream === undefined) this.#open.set(one.streamId, new Map([[one, subscriber]]));
    else ofStream.set(one, subscriber);
  }

  remove(one: Subscribed): void {
    const ofStream = this.#open.get(one.streamId);
    ofStream?.delete(one);
    if (ofStream?.size === 0) this.#open.delete(one.streamId);
  }

  ended({ userId }: Subscribed): void {
    this.shard.counters.subscriptions.end(userId, 1);
  }

  failed(session: Session, error: unknown): void {
    if (isServerFault(error)) this.#options.onFailure(session, error);
  }

  /** An event is applied to this shard's state, and sessions know what follows from it. */
  follow(event: MetadataEvent): void {
    if (this.#open.size === 0 || isHarmlessForReaders(event)) return;
    const concerned = "streamId" in event ? [this.#open.get(event.streamId)] : [...this.#open.values()];
    for (const open of concerned) for (const [one, subscriber] of [...(open ?? [])]) subscriber.recheckOne(one);
  }
}
