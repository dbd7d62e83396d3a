// A client that is told which partitions it may read, at each change: of a group those of its member, else all of the topic
// (docs/protocol-extensions.md).
import { requireTopic } from "../../metadata/index.ts";
import type { Consumer } from "../../protocol/consumer.ts";
import type { MemberAssignment } from "../../protocol/extensions/join-with-assignment.ts";
import { numericId } from "../../protocol/identifier.ts";
import type { Shard } from "../../shard/index.ts";
import { requireMember } from "../consumers.ts";
import { requireRight } from "../rights.ts";
import type { Session } from "../session.ts";
import { assignmentOf } from "../waiting/assignment.ts";
import type { PartitionsFollowState } from "./state.ts";
import { requireSameUser } from "./subscription.ts";

export class PartitionsFollow {
  readonly kind = "partitions";
  readonly id: number;
  readonly userId: number;
  readonly streamId: number;
  readonly topicId: number;
  readonly consumer: Consumer;
  knownNumber: bigint;
  /** It is to be told, as soon as its turn comes. */
  isDue = false;

  constructor(state: PartitionsFollowState) {
    this.id = state.id;
    this.userId = state.userId;
    this.streamId = state.streamId;
    this.topicId = state.topicId;
    this.consumer = state.consumer;
    this.knownNumber = state.knownNumber;
  }

  get state(): PartitionsFollowState {
    const { kind, id, userId, streamId, topicId, consumer, knownNumber } = this;
    return { kind, id, userId, streamId, topicId, consumer, knownNumber };
  }

  /** What the client may read now. Errors: 40, 41, 1009, 2010, for groups 30, 5000, 5006. */
  assignment(shard: Shard, session: Session): MemberAssignment {
    const { streamId, topicId, consumer } = this;
    requireSameUser(session, this.userId);
    const { stream, topic } = requireTopic(shard.state, numericId(streamId), numericId(topicId));
    requireRight(shard, session, "pollMessages", streamId, topicId);
    if (consumer.kind === "group") {
      const { group, member } = requireMember(session, consumer, stream, topic);
      const { number, partitionIds } = assignmentOf(group, member);
      return { assignmentNumber: number, partitionIds };
    }
    // The first partition is never taken away before the last, so their count says which they are; one more, as 0 means none.
    const { length } = topic.partitions;
    return { assignmentNumber: BigInt(length) + 1n, partitionIds: Array.from({ length }, (_, id) => id) };
  }
}
