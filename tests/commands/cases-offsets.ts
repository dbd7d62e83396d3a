import { expect } from "bun:test";
import { nameId, numericId } from "../../src/protocol/identifier.ts";
import type { Stage, Table } from "./table.ts";
import { type Scene, unknownId, unknownName } from "./world.ts";

const consumer = { kind: "consumer", id: numericId(7) } as const;
const ofGroup = ({ group }: Scene) => ({ kind: "group", id: group }) as const;
const ofUnknownGroup = { kind: "group", id: unknownId } as const;

async function storeOne({ world, caller, scene }: Stage): Promise<void> {
  const { stream, topic } = scene;
  await world.send(scene, 0, "one", "two", "three");
  await caller.value("storeConsumerOffset", { consumer, stream, topic, partitionId: 0, offset: 1n });
}

async function storedOffset({ world, scene: { stream, topic } }: Stage): Promise<bigint | undefined> {
  return (await world.root.value("getConsumerOffset", { consumer, stream, topic, partitionId: 0 }))?.storedOffset;
}

export const offsetCases: Pick<Table, "getConsumerOffset" | "storeConsumerOffset" | "deleteConsumerOffset"> = {
  getConsumerOffset: {
    begins: "consumer",
    ordinary: {
      what: "the stored offset",
      request: ({ scene: { stream, topic } }) => ({ consumer, stream, topic, partitionId: 0 }),
      before: storeOne,
      reply: () => ({ partitionId: 0, currentOffset: 2n, storedOffset: 1n }),
    },
    more: [
      {
        what: "partition 0 if none is named",
        request: ({ scene: { stream, topic } }) => ({ consumer, stream, topic, partitionId: undefined }),
        before: storeOne,
        reply: () => ({ partitionId: 0, currentOffset: 2n, storedOffset: 1n }),
      },
      {
        what: "a group's, also to somebody who is no member",
        async request({ world, scene }) {
          const { stream, topic, group } = scene;
          await world.send(scene, 1, "one");
          const member = await world.connectAsRoot();
          await member.value("joinConsumerGroup", { stream, topic, group });
          await member.value("storeConsumerOffset", {
            consumer: ofGroup(scene),
            stream,
            topic,
            partitionId: 1,
            offset: 0n,
          });
          return { consumer: { kind: "group", id: nameId("group") }, stream, topic, partitionId: 1 };
        },
        reply: () => ({ partitionId: 1, currentOffset: 0n, storedOffset: 0n }),
      },
      {
        what: "nothing without a stored offset",
        request: ({ scene: { stream, topic } }) => ({ consumer, stream, topic, partitionId: 0 }),
      },
      {
        what: "nothing for an unknown partition",
        request: ({ scene: { stream, topic } }) => ({ consumer, stream, topic, partitionId: 9 }),
      },
      {
        what: "nothing for an unknown group",
        request: ({ scene: { stream, topic } }) => ({ consumer: ofUnknownGroup, stream, topic, partitionId: 0 }),
      },
      {
        what: "nothing for an unknown topic, also without rights",
        by: "guest",
        request: ({ scene: { stream } }) => ({ consumer, stream, topic: unknownName, partitionId: 0 }),
      },
      {
        what: "nothing for an unknown stream, also without rights",
        by: "guest",
        request: ({ scene: { topic } }) => ({ consumer, stream: unknownId, topic, partitionId: 0 }),
      },
    ],
    violations: [
      {
        error: 41,
        what: "no right",
        by: "guest",
        request: ({ scene: { stream, topic } }) => ({ consumer: ofUnknownGroup, stream, topic, partitionId: 9 }),
      },
    ],
  },

  storeConsumerOffset: {
    begins: "consumer",
    ordinary: {
      what: "the offset is stored",
      async request({ world, scene }) {
        await world.send(scene, 0, "one", "two", "three");
        return { consumer, stream: scene.stream, topic: scene.topic, partitionId: 0, offset: 2n };
      },
      async after(stage) {
        expect(await storedOffset(stage)).toBe(2n);
      },
    },
    more: [
      {
        what: "backwards, and in partition 0 if none is named",
        request: ({ scene: { stream, topic } }) => ({ consumer, stream, topic, partitionId: undefined, offset: 0n }),
        before: storeOne,
        async after(stage) {
          expect(await storedOffset(stage)).toBe(0n);
        },
      },
    ],
    violations: [
      {
        error: 1009,
        what: "unknown stream",
        by: "guest",
        request: () => ({ consumer, stream: unknownId, topic: unknownId, partitionId: 9, offset: 9n }),
      },
      {
        error: 2010,
        what: "unknown topic",
        by: "guest",
        request: ({ scene: { stream } }) => ({ consumer, stream, topic: unknownId, partitionId: 9, offset: 9n }),
      },
      {
        error: 41,
        what: "no right",
        by: "guest",
        request: ({ scene: { stream, topic } }) => ({
          consumer: ofUnknownGroup,
          stream,
          topic,
          partitionId: 9,
          offset: 9n,
        }),
      },
      {
        error: 30,
        what: "the heartbeat was missed",
        by: "stale",
        request: ({ scene: { stream, topic } }) => ({
          consumer: ofUnknownGroup,
          stream,
          topic,
          partitionId: 9,
          offset: 9n,
        }),
      },
      {
        error: 5000,
        what: "unknown group",
        request: ({ scene: { stream, topic } }) => ({
          consumer: ofUnknownGroup,
          stream,
          topic,
          partitionId: 9,
          offset: 9n,
        }),
      },
      {
        error: 5006,
        what: "not a member",
        request: ({ scene }) => ({
          consumer: ofGroup(scene),
          stream: scene.stream,
          topic: scene.topic,
          partitionId: 9,
          offset: 9n,
        }),
      },
      {
        error: 3022,
        what: "a partition that the member does not own",
        by: "member",
        request: ({ scene }) => ({
          consumer: ofGroup(scene),
          stream: scene.stream,
          topic: scene.topic,
          partitionId: 9,
          offset: 9n,
        }),
      },
      {
        error: 3007,
        what: "unknown partition",
        request: ({ scene: { stream, topic } }) => ({ consumer, stream, topic, partitionId: 2, offset: 9n }),
      },
      {
        error: 4100,
        what: "an offset in an empty partition",
        request: ({ scene: { stream, topic } }) => ({ consumer, stream, topic, partitionId: 1, offset: 0n }),
      },
      {
        error: 4100,
        what: "an offset beyond the last",
        async request({ world, scene }) {
          await world.send(scene, 0, "one", "two");
          return { consumer, stream: scene.stream, topic: scene.topic, partitionId: 0, offset: 2n };
        },
      },
    ],
  },

  deleteConsumerOffset: {
    begins: "consumer",
    ordinary: {
      what: "nothing is stored any more",
      request: ({ scene: { stream, topic } }) => ({ consumer, stream, topic, partitionId: 0 }),
      before: storeOne,
      async after(stage) {
        expect(await storedOffset(stage)).toBeUndefined();
      },
    },
    violations: [
      {
        error: 1009,
        what: "unknown stream",
        by: "guest",
        request: () => ({ consumer, stream: unknownId, topic: unknownId, partitionId: 9 }),
      },
      {
        error: 2010,
        what: "unknown topic",
        by: "guest",
        request: ({ scene: { stream } }) => ({ consumer, stream, topic: unknownId, partitionId: 9 }),
      },
      {
        error: 41,
        what: "no right",
        by: "guest",
        request: ({ scene: { stream, topic } }) => ({ consumer: ofUnknownGroup, stream, topic, partitionId: 9 }),
      },
      {
        error: 30,
        what: "the heartbeat was missed",
        by: "stale",
        request: ({ scene: { stream, topic } }) => ({ consumer: ofUnknownGroup, stream, topic, partitionId: 9 }),
      },
      {
        error: 5000,
        what: "unknown group",
        request: ({ scene: { stream, topic } }) => ({ consumer: ofUnknownGroup, stream, topic, partitionId: 9 }),
      },
      {
        error: 5006,
        what: "not a member",
        request: ({ scene }) => ({
          consumer: ofGroup(scene),
          stream: scene.stream,
          topic: scene.topic,
          partitionId: 9,
        }),
      },
      {
        error: 3022,
        what: "a partition that the member does not own",
        by: "member",
        request: ({ scene }) => ({
          consumer: ofGroup(scene),
          stream: scene.stream,
          topic: scene.topic,
          partitionId: 9,
        }),
      },
      {
        error: 3007,
        what: "unknown partition",
        request: ({ scene: { stream, topic } }) => ({ consumer, stream, topic, partitionId: 2 }),
      },
      {
        error: 3021,
        what: "nothing stored",
        request: ({ scene: { stream, topic } }) => ({ consumer, stream, topic, partitionId: 0 }),
      },
    ],
  },
};
