import { expect } from "bun:test";
import { nameId } from "../../src/protocol/identifier.ts";
import type { Stage, Table } from "./table.ts";
import { type Scene, unknownId, unknownName, waitFor } from "./world.ts";

const target = ({ scene: { stream, topic, group } }: Stage) => ({ stream, topic, group });

async function members({ world, scene: { stream, topic, group } }: Stage) {
  return (await world.root.content("getConsumerGroup", { stream, topic, group })).members;
}

const headers = ({ groupId }: Scene) => [
  { id: groupId, partitionsCount: 2, membersCount: 0, name: "group" },
  { id: groupId + 1, partitionsCount: 2, membersCount: 0, name: "other group" },
];

/** What delete, join and leave have in common. */
const missing = [
  {
    error: 1009,
    what: "unknown stream",
    by: "guest",
    request: () => ({ stream: unknownId, topic: unknownId, group: unknownId }),
  },
  {
    error: 2010,
    what: "unknown topic",
    by: "guest",
    request: ({ scene: { stream } }: Stage) => ({ stream, topic: unknownName, group: unknownId }),
  },
  {
    error: 5000,
    what: "unknown group",
    by: "guest",
    request: ({ scene: { stream, topic } }: Stage) => ({ stream, topic, group: unknownId }),
  },
  {
    error: 5000,
    what: "unknown name of a group",
    by: "guest",
    request: ({ scene: { stream, topic } }: Stage) => ({ stream, topic, group: unknownName }),
  },
  { error: 41, what: "no right", by: "guest", request: target },
] as const;

export const groupCases: Pick<
  Table,
  | "getConsumerGroup"
  | "getConsumerGroups"
  | "createConsumerGroup"
  | "deleteConsumerGroup"
  | "joinConsumerGroup"
  | "leaveConsumerGroup"
> = {
  getConsumerGroup: {
    begins: "identifier",
    ordinary: {
      what: "header of a group without members",
      request: target,
      reply: ({ scene }) => ({ ...headers(scene)[0]!, members: [] }),
    },
    more: [
      {
        what: "members with their partitions",
        by: "member",
        async request({ world, caller, scene: { stream, topic, group } }) {
          const second = await world.connectAsRoot();
          await second.value("joinConsumerGroup", { stream, topic, group });
          // Asked of the shard that answers next: another may know a moment earlier.
          await waitFor("the second member has a partition", async () => {
            const { members } = await caller.content("getConsumerGroup", { stream, topic, group });
            return members[1]?.partitions.length === 1;
          });
          return { stream, topic, group: nameId("group") };
        },
        reply: ({ scene: { groupId } }) => ({
          id: groupId,
          partitionsCount: 2,
          membersCount: 2,
          name: "group",
          members: [
            { id: 0, partitions: [0] },
            { id: 1, partitions: [1] },
          ],
        }),
      },
      {
        what: "nothing for an unknown group, also without rights",
        by: "guest",
        request: ({ scene: { stream, topic } }) => ({ stream, topic, group: unknownName }),
      },
      {
        what: "nothing for an unknown topic, also without rights",
        by: "guest",
        request: ({ scene: { stream, group } }) => ({ stream, topic: unknownName, group }),
      },
      {
        what: "nothing for an unknown stream, also without rights",
        by: "guest",
        request: ({ scene: { topic, group } }) => ({ stream: unknownId, topic, group }),
      },
    ],
    violations: [{ error: 41, what: "no right", by: "guest", request: target }],
  },

  getConsumerGroups: {
    begins: "identifier",
    ordinary: {
      what: "every group of the topic",
      request: ({ scene: { stream, topic } }) => ({ stream, topic }),
      reply: ({ scene }) => headers(scene),
    },
    more: [
      {
        what: "nothing for a topic without groups",
        request: ({ scene: { stream, otherTopic: topic } }) => ({ stream, topic }),
      },
      {
        what: "nothing for an unknown topic, also without rights",
        by: "guest",
        request: ({ scene: { stream } }) => ({ stream, topic: unknownId }),
      },
      {
        what: "nothing for an unknown stream, also without rights",
        by: "guest",
        request: ({ scene: { topic } }) => ({ stream: unknownName, topic }),
      },
    ],
    violations: [
      { error: 41, what: "no right", by: "guest", request: ({ scene: { stream, topic } }) => ({ stream, topic }) },
    ],
  },

  createConsumerGroup: {
    begins: "identifier",
    ordinary: {
      what: "the header with the next number",
      request: ({ scene: { stream, topic } }) => ({ stream, topic, name: "third" }),
      reply: () => ({ id: 2, partitionsCount: 2, membersCount: 0, name: "third" }),
    },
    more: [
      {
        what: "the first of a topic is 0",
        request: ({ scene: { streamName, otherTopic: topic } }) => ({
          stream: nameId(streamName),
          topic,
          name: "group",
        }),
        reply: () => ({ id: 0, partitionsCount: 3, membersCount: 0, name: "group" }),
      },
    ],
    violations: [
      {
        error: 1009,
        what: "unknown stream",
        by: "guest",
        request: () => ({ stream: unknownId, topic: unknownId, name: "group" }),
      },
      {
        error: 2010,
        what: "unknown topic",
        by: "guest",
        request: ({ scene: { stream } }) => ({ stream, topic: unknownId, name: "group" }),
      },
      {
        error: 41,
        what: "no right",
        by: "guest",
        request: ({ scene: { stream, topic } }) => ({ stream, topic, name: "group" }),
      },
      {
        error: 5004,
        what: "name taken",
        request: ({ scene: { stream, topic } }) => ({ stream, topic, name: "group" }),
      },
    ],
  },

  deleteConsumerGroup: {
    begins: "identifier",
    ordinary: {
      what: "the group is gone",
      request: target,
      async after({ world, scene: { stream, topic, group } }) {
        expect(await world.root.value("getConsumerGroup", { stream, topic, group })).toBeUndefined();
      },
    },
    more: [
      {
        what: "its members are in no group any more",
        by: "member",
        request: target,
        async after({ caller }) {
          expect(await caller.value("getMe", undefined)).toMatchObject({ consumerGroupsCount: 0, consumerGroups: [] });
        },
      },
    ],
    violations: missing,
  },

  joinConsumerGroup: {
    begins: "identifier",
    ordinary: {
      what: "the only member gets every partition",
      request: target,
      async after(stage) {
        expect(await members(stage)).toEqual([{ id: 0, partitions: [0, 1] }]);
      },
    },
    more: [
      {
        what: "joining twice changes nothing",
        by: "member",
        request: target,
        async after(stage) {
          expect(await members(stage)).toEqual([{ id: 0, partitions: [0, 1] }]);
        },
      },
    ],
    violations: [...missing, { error: 30, what: "the heartbeat was missed", by: "stale", request: target }],
  },

  leaveConsumerGroup: {
    begins: "identifier",
    ordinary: {
      what: "nobody is left",
      request: target,
      async before({ caller, scene: { stream, topic, group } }) {
        await caller.value("joinConsumerGroup", { stream, topic, group });
      },
      async after(stage) {
        expect(await members(stage)).toEqual([]);
      },
    },
    violations: [
      ...missing,
      { error: 5006, what: "not a member", request: target },
      { error: 5006, what: "the heartbeat was missed and the group was left", by: "stale", request: target },
    ],
  },
};
