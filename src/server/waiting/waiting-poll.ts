// One poll that waits (docs/protocol-extensions.md). It lives on the shard of its connection: reads where the partitions are, and
// where there is nothing leaves a watch at their owners. It ends once, whatever comes first: messages, its time, the next request
// of its connection, or a change of the metadata. While it waits it is this object and its watches, nothing else.

import { findPartition, requireTopic } from "../../metadata/index.ts";
import { encode } from "../../protocol/codec.ts";
import type { Consumer } from "../../protocol/consumer.ts";
import { IggyError } from "../../protocol/errors.ts";
import {
  noPartitionId,
  type PollEnding,
  pollWaitingHeadCodec,
  pollWaitingReplyCodec,
} from "../../protocol/extensions/poll-waiting.ts";
import { numericId } from "../../protocol/identifier.ts";
import {
  type PartitionChange,
  partitionKeyOf,
  type Shard,
  type ShardRead,
  Watch,
  type Watcher,
} from "../../shard/index.ts";
import type { ConsumerKey, ReadFrom } from "../../storage/index.ts";
import { requireMember } from "../consumers.ts";
import { notePolled } from "../group-turns.ts";
import type { Reply } from "../reply.ts";
import { requireRight } from "../rights.ts";
import type { Session, Waiting } from "../session.ts";
import { type Assignment, assignmentOf, hasOthers } from "./assignment.ts";
import { isBehindEnd, isThere } from "./behind-end.ts";
import { Deadline } from "./deadlines.ts";

/** A partition that is to be read. */
export interface WantedPartition {
  readonly partitionId: number;
  readonly from: ReadFrom;
}

/** What is asked for of each, looked up. */
export interface WaitPlan {
  readonly streamId: number;
  readonly topicId: number;
  readonly consumer: ConsumerKey;
  readonly countMax: number;
  /** Undefined: as many as a reply holds. */
  readonly bytesMax: number | undefined;
  readonly autoCommit: boolean;
  /** 0: it does not wait. */
  readonly waitMs: number;
  /** Of a group's member: its group as the client names it. */
  readonly group: Consumer | undefined;
  /** And what it had when the poll came. */
  readonly assignment: Assignment | undefined;
  /** Undefined: none. */
  readonly knownAssignment: bigint | undefined;
  /** What the poll ends with, at once, where there is nothing; undefined: it waits. */
  readonly ifNothing: PollEnding | undefined;
}

/** What all polls of a shard share. */
export interface WaitDesk {
  readonly shard: Shard;
  /** Whether the poll may wait; then it is counted, and its end is set, until `ended`. */
  begin(poll: WaitingPoll): boolean;
  /** It is over: nothing of it is kept. `hasBegun`: `begin` said yes. */
  ended(poll: WaitingPoll, hasBegun: boolean): void;
}

/** One of its partitions, which it watches while it waits. */
class WaitPlace extends Watch {
  readonly partitionId: number;
  readonly from: ReadFrom;

  constructor(partitionKey: number, poll: Watcher, { partitionId, from }: WantedPartition) {
    super(partitionKey, poll);
    this.partitionId = partitionId;
    this.from = from;
  }
}

type Stop = { readonly ending: PollEnding; readonly place?: WaitPlace } | { readonly error: unknown };

export class WaitingPoll extends Deadline implements Watcher, Waiting {
  readonly session: Session;
  readonly plan: WaitPlan;
  readonly places: readonly WaitPlace[];
  /** Whose count it is in: the session may act as somebody else later. */
  readonly userId: number;
  readonly #desk: WaitDesk;
  readonly #resolve: (reply: Reply) => void;
  readonly #reject: (error: unknown) => void;
  /** Places that are to be read, in order; undefined: none. */
  #due: WaitPlace[] | undefined;
  #isReading = false;
  /** Counted among those that wait; undefined: not asked yet. */
  #mayWait: boolean | undefined;
  /** Said while it reads: it ends when that is done, unless there are messages. */
  #stop: Stop | undefined;
  #isOver = false;

  constructor(
    desk: WaitDesk,
    session: Session,
    plan: WaitPlan,
    wanted: readonly WantedPartition[],
    resolve: (reply: Reply) => void,
    reject: (error: unknown) => void,
  ) {
    super();
    this.#desk = desk;
    this.session = session;
    this.plan = plan;
    this.userId = session.user!.id;
    this.#resolve = resolve;
    this.#reject = reject;
    const { streamId, topicId } = plan;
    this.places = wanted.map((one) => new WaitPlace(partitionKeyOf(streamId, topicId, one.partitionId), this, one));
    this.#due = [...this.places];
    if (plan.waitMs === 0 || plan.ifNothing !== undefined) this.#mayWait = false;
  }

  /** Reads what is there, and waits if that is nothing. */
  start(): void {
    this.session.waiting = this;
    void this.#readDue();
  }

  overtaken(): void {
    this.#end({ ending: "overtaken" });
  }

  timeOver(): void {
    this.#end({ ending: "timeOver" });
  }

  changed(place: Watch, change: PartitionChange): void {
    if (this.#isOver || !(place instanceof WaitPlace)) return;
    if (change === "purged") {
      this.#end({ ending: "offsetsReset", place });
      return;
    }
    this.#due ??= [];
    this.#due.push(place);
    if (!this.#isReading) void this.#readDue();
  }

  /** The metadata have changed: whether the client may still have what it waits for, and waits for what it has. */
  recheck(): void {
    if (this.#isOver) return;
    try {
      const { state } = this.#desk.shard;
      const { streamId, topicId, group, assignment } = this.plan;
      const { stream, topic } = requireTopic(state, numericId(streamId), numericId(topicId));
      requireRight(this.#desk.shard, this.session, "pollMessages", streamId, topicId);
      if (group !== undefined && assignment !== undefined) {
        const now = requireMember(this.session, group, stream, topic).member;
        if (hasOthers(assignment, now)) this.#end({ ending: "assignmentChanged" });
        return;
      }
      for (const { partitionId } of this.places) {
        if (findPartition(topic, partitionId) !== undefined) continue;
        throw new IggyError("PartitionNotFound", [partitionId, topicId, streamId]);
      }
    } catch (error) {
      this.#end({ error });
    }
  }

  /** Until there are messages, or nothing is left to read. */
  async #readDue(): Promise<void> {
    this.#isReading = true;
    try {
      for (let place = this.#nextDue(); place !== undefined; place = this.#nextDue()) {
        const reading = this.#readAt(place);
        const read = reading instanceof Promise ? await reading : reading;
        if (read !== undefined && read.messagesCount > 0 && !isError(this.#stop)) {
          this.#answer(place, read);
          return;
        }
        read?.release();
        if (this.#stop !== undefined) break;
        if (read !== undefined && isBehindEnd(this.#desk.shard, place.partitionKey, place.from, read.currentOffset))
          this.#stop = { ending: "offsetsReset", place };
        else if (
          this.#watch(place) &&
          (reading instanceof Promise || !this.#desk.shard.watches.isOwn(place.partitionKey))
        ) {
          // Something may have come between the read and the watch.
          this.#due = [place, ...(this.#due ?? [])];
        }
        if (this.#stop !== undefined) break;
      }
    } catch (error) {
      this.#stop = { error };
    }
    this.#isReading = false;
    if (this.#stop === undefined) this.#settleDown();
    else this.#finish(this.#stop);
  }

  #nextDue(): WaitPlace | undefined {
    const place = this.#due?.shift();
    if (this.#due?.length === 0) this.#due = undefined;
    return place;
  }

  /** Undefined: it is not the member's at its owner, which is ahead of this shard or behind it. The change comes here too. */
  #readAt(place: WaitPlace): ShardRead | undefined | Promise<ShardRead | undefined> {
    const { consumer, countMax, bytesMax, autoCommit, group } = this.plan;
    const request = {
      partitionKey: place.partitionKey,
      from: place.from,
      countMax,
      bytesMax,
      autoCommit,
      consumer,
      memberClientId: group && this.session.clientId,
      isFenced: group !== undefined,
    };
    try {
      const read = this.#desk.shard.read(request);
      return read instanceof Promise ? read.catch(nothingIfNotOwned) : read;
    } catch (error) {
      return nothingIfNotOwned(error);
    }
  }

  /** Whether there is a new watch for the place. */
  #watch(place: WaitPlace): boolean {
    if (place.isOpen || !this.#begin()) return false;
    this.#desk.shard.watches.open(place);
    return true;
  }

  #begin(): boolean {
    this.#mayWait ??= this.#desk.begin(this);
    return this.#mayWait;
  }

  /** Nothing was there. */
  #settleDown(): void {
    // A member without partitions waits for some.
    if (!this.#begin()) this.#finish({ ending: this.plan.ifNothing ?? "notWaited" });
  }

  #end(stop: Stop): void {
    if (this.#isOver) return;
    if (!this.#isReading) this.#finish(stop);
    else if (this.#stop === undefined || isError(stop)) this.#stop = stop;
  }

  #answer(place: WaitPlace, read: ShardRead): void {
    const { streamId, topicId, consumer, group } = this.plan;
    this.#isReading = false;
    this.#cleanUp();
    if (group !== undefined) {
      notePolled(this.session.groupTurns, { streamId, topicId, groupId: consumer.id }, place.partitionId);
    }
    try {
      this.#resolve({ partitionId: place.partitionId, read, prefix: this.#prefix("messages") });
    } catch (error) {
      read.release();
      this.#reject(error);
    }
  }

  #finish(stop: Stop): void {
    this.#cleanUp();
    if ("error" in stop) {
      this.#reject(stop.error);
      return;
    }
    const { places } = this;
    const place = stop.place ?? (places.length === 1 ? places[0] : undefined);
    const polled = {
      partitionId: place?.partitionId ?? noPartitionId,
      currentOffset: this.#headOf(place),
      messages: [],
    };
    this.#resolve(encode(pollWaitingReplyCodec, { ...this.#head(stop.ending), polled }));
  }

  /** Nothing of it is left anywhere. */
  #cleanUp(): void {
    this.#isOver = true;
    this.#due = undefined;
    for (const place of this.places) this.#desk.shard.watches.close(place);
    if (this.session.waiting === this) this.session.waiting = undefined;
    this.#desk.ended(this, this.#mayWait === true);
  }

  #headOf(place: WaitPlace | undefined): bigint {
    const { shard } = this.#desk;
    if (place === undefined || !isThere(shard.state, place.partitionKey)) return 0n;
    return BigInt(shard.counters.partition(place.partitionKey).currentOffset);
  }

  #prefix(ending: PollEnding): Uint8Array {
    if (this.plan.group !== undefined) return encode(pollWaitingHeadCodec, this.#head(ending));
    return singleMessagesHead;
  }

  #head(ending: PollEnding) {
    const assignment = this.#assignmentNow();
    if (assignment === undefined) return { ending, assignmentNumber: 0n, partitionIds: undefined };
    const isKnown = assignment.number === this.plan.knownAssignment;
    return { ending, assignmentNumber: assignment.number, partitionIds: isKnown ? undefined : assignment.partitionIds };
  }

  /** Undefined: it is no member, or not any more. */
  #assignmentNow(): Assignment | undefined {
    const { streamId, topicId, consumer } = this.plan;
    if (this.plan.group === undefined) return undefined;
    const topic = this.#desk.shard.state.streams.byId.get(streamId)?.topics.byId.get(topicId);
    const group = topic?.groups.byId.get(consumer.id);
    const own = group?.membersByClient.get(this.session.clientId);
    return group && own && assignmentOf(group, own);
  }
}

/** Of every reply with messages to a single consumer. */
const singleMessagesHead = encode(pollWaitingHeadCodec, {
  ending: "messages",
  assignmentNumber: 0n,
  partitionIds: undefined,
});

function isError(stop: Stop | undefined): boolean {
  return stop !== undefined && "error" in stop;
}

function nothingIfNotOwned(error: unknown): undefined {
  if (error instanceof IggyError && error.errorName === "NotResolvedConsumer") return undefined;
  throw error;
}
