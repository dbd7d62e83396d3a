// All subscriptions of one connection, and how they share it: those with something to read take turns, one read at a time, and
// only while nothing waits to be sent. So a client that does not read costs what is in its socket and the description of one
// push. Nothing here has a timer.
import { IggyError, toIggyError } from "../../protocol/errors.ts";
import type { SubscriptionEnding } from "../../protocol/extensions/pushes.ts";
import type { PartitionChange, PlacedRead, Shard, Watch, Watcher } from "../../shard/index.ts";
import { notePolled } from "../group-turns.ts";
import type { Session } from "../session.ts";
import { isBehindEnd } from "../waiting/behind-end.ts";
import { PartitionsFollow } from "./partitions-follow.ts";
import type { PushTarget } from "./push-target.ts";
import type { SubscribedState, Subscriptions } from "./state.ts";
import { type Stop, Subscription } from "./subscription.ts";

export type Subscribed = Subscription | PartitionsFollow;

/** What all subscribers of a shard share. */
export interface Desk {
  readonly shard: Shard;
  /** It is here from now on. */
  add(subscriber: Subscriber, one: Subscribed): void;
  /** It is here no more. */
  remove(one: Subscribed): void;
  /** It is over, and counts no more. */
  ended(one: Subscribed): void;
  /** It has ended with this error. */
  failed(session: Session, error: unknown): void;
}

export class Subscriber implements Subscriptions, Watcher {
  readonly session: Session;
  readonly #desk: Desk;
  readonly #target: PushTarget;
  readonly #open: Subscribed[] = [];
  /** Those that have something to send, or may have, the next one first. */
  readonly #due: Subscribed[] = [];
  #reading: Subscription | undefined;
  /** Called when what is read is sent: its client has ended the subscription. */
  #onRead: (() => void) | undefined;
  #isScheduled = false;
  #isClosed = false;

  constructor(desk: Desk, session: Session, target: PushTarget) {
    this.#desk = desk;
    this.session = session;
    this.#target = target;
  }

  get count(): number {
    return this.#open.length;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  get isReading(): boolean {
    return this.#reading !== undefined;
  }

  has(id: number): boolean {
    return this.#find(id) !== undefined;
  }

  add(state: SubscribedState): void {
    const one = state.kind === "messages" ? new Subscription(state, this) : new PartitionsFollow(state);
    this.#open.push(one);
    this.#desk.add(this, one);
    if (one.kind !== "messages") return;
    this.#makeDue(one);
    this.#schedule();
  }

  addCredit(id: number, bytes: number): void {
    const one = this.#find(id);
    if (one?.kind !== "messages") return; // it may have ended meanwhile
    const wasOut = one.credit <= 0;
    one.addCredit(bytes);
    // With some left it goes on by itself. Without, there may be something to read although it waits to be told of more.
    if (!wasOut || one.credit <= 0) return;
    this.#makeDue(one);
    this.#schedule();
  }

  remove(id: number): Promise<void> | undefined {
    const one = this.#find(id);
    if (one === undefined) return undefined;
    if (one !== this.#reading) {
      this.#forget(one);
      return undefined;
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#onRead = () => {
      this.#forget(one);
      resolve();
    };
    return promise;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const one of [...this.#open]) this.#forget(one);
    this.#onRead?.();
  }

  release(): SubscribedState[] {
    this.#isClosed = true;
    const states = this.#open.map(({ state }) => state);
    for (const one of this.#open) this.#detach(one);
    return states;
  }

  recheck(): void {
    for (const one of [...this.#open]) this.recheckOne(one);
  }

  recheckOne(one: Subscribed): void {
    const { shard } = this.#desk;
    if (one.kind === "messages") {
      const stop = one.check(shard, this.session);
      if (stop !== undefined) this.#end(one, stop);
      return;
    }
    try {
      if (one.assignment(shard, this.session).assignmentNumber === one.knownNumber) return;
    } catch (error) {
      this.#end(one, { error });
      return;
    }
    // Told when there is room: who does not read is told of many changes once.
    this.#makeDue(one);
    this.proceed();
  }

  /** There may be something new in a partition. */
  changed(watch: Watch, change: PartitionChange): void {
    if (!(watch instanceof Subscription)) return;
    if (change === "purged") {
      this.#end(watch, { ending: "offsetsReset" });
      return;
    }
    this.#makeDue(watch);
    this.proceed();
  }

  proceed(): void {
    while (!this.#isClosed && this.#reading === undefined && this.#target.isReadyForPush) {
      const next = this.#due.shift();
      if (next === undefined) return;
      next.isDue = false;
      if (next.kind === "partitions") this.#tellPartitions(next);
      else if (next.credit > 0) {
        this.#read(next);
        return;
      }
      // Without credit it is due again with more.
    }
  }

  #find(id: number): Subscribed | undefined {
    return this.#open.find((one) => one.id === id);
  }

  #makeDue(one: Subscribed): void {
    if (one.isDue) return;
    one.isDue = true;
    this.#due.push(one);
  }

  #tellPartitions(one: PartitionsFollow): void {
    try {
      const assignment = one.assignment(this.#desk.shard, this.session);
      if (assignment.assignmentNumber === one.knownNumber) return;
      one.knownNumber = assignment.assignmentNumber;
      this.#target.pushPartitions(one.id, assignment);
    } catch (error) {
      this.#end(one, { error });
    }
  }

  /** In a later turn: replies stand before what comes of their requests, and other connections want their turn, too. */
  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.proceed();
    });
  }

  #read(one: Subscription): void {
    this.#reading = one;
    try {
      const read = one.read(this.#desk.shard, this.session);
      if (read instanceof Promise) {
        read.then(
          (done) => this.#took(one, done, true),
          (error: unknown) => this.#failed(one, error),
        );
      } else this.#took(one, read, false);
    } catch (error) {
      this.#failed(one, error);
    }
  }

  /** `isLate`: something may have come since. */
  #took(one: Subscription, read: PlacedRead, isLate: boolean): void {
    this.#reading = undefined;
    const isOther = one.epoch >= 0 && read.epoch !== one.epoch;
    one.epoch = read.epoch;
    // What is stored as consumed was taken away by the read: it is lost if it is not sent.
    const isDropped = this.#isClosed || (isOther && !one.autoCommit) || isError(one.stop);
    if (read.lastOffset >= 0) one.from = { kind: "offset", offset: read.lastOffset + 1 };
    const hasMessages = read.messagesCount > 0 && !isDropped;
    if (hasMessages) this.#push(one, read);
    else read.release();
    if (this.#isClosed) return;
    if (this.#onRead !== undefined) this.#readOfEnded();
    else if (one.stop !== undefined) this.#end(one, one.stop);
    else if (isOther || (!hasMessages && isBehindEnd(this.#desk.shard, one.partitionKey, one.from, read.currentOffset)))
      this.#end(one, { ending: "offsetsReset" });
    else this.#goOn(one, read, isLate);
    if (hasMessages && this.#target.moveIfBetter()) return;
    if (this.#due.length > 0) this.#schedule();
  }

  #push(one: Subscription, read: PlacedRead): void {
    const { shard } = this.#desk;
    const { streamId, topicId, partitionId, consumer, group } = one;
    one.credit -= read.sizeBytes;
    if (group !== undefined) {
      notePolled(this.session.groupTurns, { streamId, topicId, groupId: consumer.id }, partitionId);
    } else this.session.affinity.note(shard.remoteOwnerOf(one.partitionKey));
    this.#target.pushMessages(one.id, partitionId, read);
  }

  /** It reads again where there may be more, and waits where there is not. */
  #goOn(one: Subscription, read: PlacedRead, isLate: boolean): void {
    if (one.credit <= 0) return;
    const isAtEnd = read.messagesCount === 0 || read.lastOffset >= read.currentOffset;
    if (!isAtEnd) {
      this.#makeDue(one);
      return;
    }
    const { watches } = this.#desk.shard;
    if (one.isOpen) return;
    watches.open(one);
    if (isLate || !watches.isOwn(one.partitionKey)) this.#makeDue(one);
  }

  #failed(one: Subscription, error: unknown): void {
    this.#reading = undefined;
    if (this.#isClosed) return;
    if (this.#onRead !== undefined) this.#readOfEnded();
    // Its owner knows of a change that comes here, too, or not yet of one that has.
    else if (error instanceof IggyError && error.errorName === "NotResolvedConsumer")
      this.#end(one, one.stop ?? { ending: "assignmentChanged" });
    else this.#end(one, isError(one.stop) ? one.stop! : { error });
    if (this.#due.length > 0) this.#schedule();
  }

  #readOfEnded(): void {
    const onRead = this.#onRead;
    this.#onRead = undefined;
    onRead?.();
  }

  #end(one: Subscribed, stop: Stop): void {
    if (one === this.#reading) {
      if (one.stop === undefined || isError(stop)) one.stop = stop;
      return;
    }
    this.#forget(one);
    const error = "error" in stop ? toIggyError(stop.error) : undefined;
    const ending: SubscriptionEnding = "error" in stop ? "error" : stop.ending;
    this.#target.pushEnd({ subscriptionId: one.id, ending, errorCode: error?.code ?? 0 });
    if ("error" in stop) this.#desk.failed(this.session, stop.error);
  }

  /** Nothing of it is left anywhere. */
  #forget(one: Subscribed): void {
    const index = this.#open.indexOf(one);
    if (index < 0) return;
    this.#open.splice(index, 1);
    this.#detach(one);
    this.#desk.ended(one);
  }

  /** It is read and told no more. */
  #detach(one: Subscribed): void {
    this.#desk.remove(one);
    if (one.kind === "messages") this.#desk.shard.watches.close(one);
    if (!one.isDue) return;
    one.isDue = false;
    this.#due.splice(this.#due.indexOf(one), 1);
  }
}

function isError(stop: Stop | undefined): boolean {
  return stop !== undefined && "error" in stop;
}
