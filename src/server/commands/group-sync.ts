// The sync of a group (code 606): what a member of 0.9 asks before it polls, as it chooses its partitions itself (spec P9 9.2).
import { findGroup, findStream, findTopic, memberOf, pollablePartitions } from "../../metadata/index.ts";
import type { SyncGroupReply, SyncGroupRequest } from "../../protocol/v09/sync-group.ts";
import type { Handler } from "../command.ts";
import { requireRight } from "../rights.ts";

/**
 * What the client may poll now: its partitions without those that wait to be moved, in the order in which it got them.
 * Undefined, an empty reply, where it is not a member or stream, topic or group are missing: it joins again then. A client
 * whose record is gone has left its groups. Error: 41.
 */
export const syncGroup: Handler<SyncGroupRequest, SyncGroupReply | undefined> = ({ shard }, session, request) => {
  const stream = findStream(shard.state, request.stream);
  const topic = stream && findTopic(stream, request.topic);
  const group = topic && findGroup(topic, request.group);
  if (!stream || !topic || !group) return undefined;
  requireRight(shard, session, "consumerGroup", stream.id, topic.id);
  const member = session.isRecordGone ? undefined : memberOf(group, session.clientId);
  if (member === undefined) return undefined;
  return { generation: BigInt(group.generation), partitionIds: [...pollablePartitions(member)] };
};
