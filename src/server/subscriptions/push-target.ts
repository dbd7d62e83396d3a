// Where what is pushed to a subscriber goes: its connection, or its answer over HTTP.
import type { MemberAssignment } from "../../protocol/extensions/join-with-assignment.ts";
import type { EndPush } from "../../protocol/extensions/pushes.ts";
import type { ShardRead } from "../../shard/index.ts";

export interface PushTarget {
  /** Whether nothing waits to be sent. Where something does, the subscriber's `proceed` is called when it is gone. */
  readonly isReadyForPush: boolean;
  /** Takes the read over: releases it when its bytes are no longer needed. */
  pushMessages(subscriptionId: number, partitionId: number, read: ShardRead): void;
  pushPartitions(subscriptionId: number, assignment: MemberAssignment): void;
  pushEnd(end: EndPush): void;
  /** After a push: true if the connection went to another shard, and its subscriptions with it. */
  moveIfBetter(): boolean;
}
