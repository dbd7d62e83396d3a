// What is pushed to the subscriber of a connection: between replies, and nothing where replies are the last that it sends.
import type { MemberAssignment } from "../protocol/extensions/join-with-assignment.ts";
import type { EndPush } from "../protocol/extensions/pushes.ts";
import type { PushTarget } from "../server/index.ts";
import type { ShardRead } from "../shard/index.ts";
import type { Carrier, PipelineOptions } from "./carrier.ts";
import type { ConnectionEnd, EndingConnection } from "./connection-end.ts";
import { pushBytes, writeEndPush, writeMessagesPush, writePartitionsPush } from "./push-writer.ts";
import type { ReplyQueue } from "./reply-queue.ts";

export class ConnectionPushes implements PushTarget {
  readonly #carrier: Carrier;
  readonly #options: PipelineOptions;
  readonly #replies: ReplyQueue;
  readonly #end: ConnectionEnd;
  readonly #connection: EndingConnection;

  constructor(
    carrier: Carrier,
    options: PipelineOptions,
    replies: ReplyQueue,
    end: ConnectionEnd,
    connection: EndingConnection,
  ) {
    this.#carrier = carrier;
    this.#options = options;
    this.#replies = replies;
    this.#end = end;
    this.#connection = connection;
  }

  get isReadyForPush(): boolean {
    return this.#end.stage === "open" && this.#carrier.output.isEmpty;
  }

  pushMessages(subscriptionId: number, partitionId: number, read: ShardRead): void {
    const { context, session, onFault } = this.#options;
    context.shard.statistics.sent(session.transport, pushBytes(read));
    context.shard.statistics.delivered(read.messagesCount);
    try {
      writeMessagesPush(this.#carrier.output, subscriptionId, partitionId, read);
    } catch (fault) {
      read.release();
      onFault(0, fault);
      this.#connection.terminate();
    }
  }

  pushPartitions(subscriptionId: number, assignment: MemberAssignment): void {
    writePartitionsPush(this.#carrier.output, { subscriptionId, ...assignment });
  }

  pushEnd(end: EndPush): void {
    if (this.#end.stage === "open") writeEndPush(this.#carrier.output, end);
  }

  moveIfBetter(): boolean {
    return this.#replies.isEmpty && this.#carrier.moveIfBetter();
  }
}
