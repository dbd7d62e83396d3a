// Consumer groups (spec BP 4.9, SB 6). All six ask for the right to read the topic (spec SB 13, trap 38).
import {
  type ConsumerGroup,
  entriesById,
  findGroup,
  findStream,
  findTopic,
  requireGroup,
  requireTopic,
  type Topic,
} from "../../metadata/index.ts";
import type { ConsumerGroupHeader } from "../../protocol/records/consumer-group.ts";
import { command } from "../command.ts";
import { forgetTurns } from "../group-turns.ts";
import { requireRight } from "../rights.ts";
import { requireLiveMember } from "../session.ts";

function headerOf(topic: Topic, { id, name, members }: ConsumerGroup): ConsumerGroupHeader {
  return { id, name, partitionsCount: topic.partitions.length, membersCount: members.length };
}

export const groupCommands = [
  command("getConsumerGroup", ({ shard }, session, request) => {
    const stream = findStream(shard.state, request.stream);
    const topic = stream && findTopic(stream, request.topic);
    const group = topic && findGroup(topic, request.group);
    if (!stream || !topic || !group) return undefined;
    requireRight(shard, session, "consumerGroup", stream.id, topic.id);
    const members = group.members.map(({ memberId, partitions }) => ({ id: memberId, partitions: [...partitions] }));
    return { ...headerOf(topic, group), members };
  }),

  command("getConsumerGroups", ({ shard }, session, request) => {
    const stream = findStream(shard.state, request.stream);
    const topic = stream && findTopic(stream, request.topic);
    if (!stream || !topic) return undefined;
    requireRight(shard, session, "consumerGroup", stream.id, topic.id);
    return entriesById(topic.groups).map((group) => headerOf(topic, group));
  }),

  command("createConsumerGroup", async ({ shard }, session, request) => {
    const { stream, topic } = requireTopic(shard.state, request.stream, request.topic);
    requireRight(shard, session, "consumerGroup", stream.id, topic.id);
    const { groupId, name } = await shard.control({ kind: "createGroup", request });
    return { id: groupId, name, partitionsCount: topic.partitions.length, membersCount: 0 };
  }),

  command("deleteConsumerGroup", async ({ shard }, session, request) => {
    const { stream, topic } = requireGroup(shard.state, request);
    requireRight(shard, session, "consumerGroup", stream.id, topic.id);
    await shard.control({ kind: "deleteGroup", request });
    return undefined;
  }),

  command("joinConsumerGroup", async ({ shard }, session, request) => {
    const { stream, topic, key, group } = requireGroup(shard.state, request);
    requireRight(shard, session, "consumerGroup", stream.id, topic.id);
    requireLiveMember(session);
    if (!group.membersByClient.has(session.clientId)) forgetTurns(session.groupTurns, key);
    session.hasJoinedGroups = true; // before the join is on its way: it is undone when the client goes meanwhile
    await shard.control({ kind: "joinGroup", request, clientId: session.clientId });
    return undefined;
  }),

  command("leaveConsumerGroup", async ({ shard }, session, request) => {
    const { stream, topic, group } = requireGroup(shard.state, request);
    requireRight(shard, session, "consumerGroup", stream.id, topic.id);
    // Who is no member gets 5006, and a stale client has left (spec BP 4.9, SB 8.1).
    if (group.membersByClient.has(session.clientId)) requireLiveMember(session);
    await shard.control({ kind: "leaveGroup", request, clientId: session.clientId });
    return undefined;
  }),
];
