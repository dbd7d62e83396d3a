import { expect } from "bun:test";
import { isRecent } from "./expected.ts";
import type { Stage, Table } from "./table.ts";
import { fromFirst, reader, unknownId } from "./world.ts";

async function partitionsCount({ world, scene: { stream, topic } }: Stage): Promise<number> {
  return (await world.root.content("getTopic", { stream, topic })).partitions.length;
}

export const partitionCases: Pick<Table, "createPartitions" | "deletePartitions" | "deleteSegments"> = {
  createPartitions: {
    begins: "identifier",
    ordinary: {
      what: "partitions at the end",
      request: ({ scene: { stream, topic } }) => ({ stream, topic, partitionsCount: 3 }),
      async after({ world, scene: { stream, topic } }) {
        const { partitions } = await world.root.content("getTopic", { stream, topic });
        expect(partitions.map(({ id }) => id)).toEqual([0, 1, 2, 3, 4]);
        expect(
          partitions.every(({ createdAtMicros, segmentsCount }) => isRecent(createdAtMicros) && segmentsCount === 1),
        ).toBe(true);
      },
    },
    violations: [
      {
        error: 2015,
        what: "none",
        by: "guest",
        request: () => ({ stream: unknownId, topic: unknownId, partitionsCount: 0 }),
      },
      {
        error: 2015,
        what: "1001",
        by: "guest",
        request: () => ({ stream: unknownId, topic: unknownId, partitionsCount: 1001 }),
      },
      {
        error: 1009,
        what: "unknown stream",
        by: "guest",
        request: () => ({ stream: unknownId, topic: unknownId, partitionsCount: 1 }),
      },
      {
        error: 2010,
        what: "unknown topic",
        by: "guest",
        request: ({ scene: { stream } }) => ({ stream, topic: unknownId, partitionsCount: 1 }),
      },
      {
        error: 41,
        what: "no right",
        by: "guest",
        request: ({ scene: { stream, topic } }) => ({ stream, topic, partitionsCount: 1 }),
      },
    ],
  },

  deletePartitions: {
    begins: "identifier",
    ordinary: {
      what: "the highest are gone",
      request: ({ scene: { stream, topic } }) => ({ stream, topic, partitionsCount: 1 }),
      async after(stage) {
        expect(await partitionsCount(stage)).toBe(1);
      },
    },
    more: [
      {
        what: "all of them",
        request: ({ scene: { stream, topic } }) => ({ stream, topic, partitionsCount: 2 }),
        async after(stage) {
          expect(await partitionsCount(stage)).toBe(0);
        },
      },
    ],
    violations: [
      {
        error: 2015,
        what: "none",
        by: "guest",
        request: () => ({ stream: unknownId, topic: unknownId, partitionsCount: 0 }),
      },
      {
        error: 1009,
        what: "unknown stream",
        by: "guest",
        request: () => ({ stream: unknownId, topic: unknownId, partitionsCount: 3 }),
      },
      {
        error: 2010,
        what: "unknown topic",
        by: "guest",
        request: ({ scene: { stream } }) => ({ stream, topic: unknownId, partitionsCount: 3 }),
      },
      {
        error: 41,
        what: "no right",
        by: "guest",
        request: ({ scene: { stream, topic } }) => ({ stream, topic, partitionsCount: 3 }),
      },
      {
        error: 2019,
        what: "more than there are",
        request: ({ scene: { stream, topic } }) => ({ stream, topic, partitionsCount: 3 }),
      },
    ],
  },

  deleteSegments: {
    begins: "identifier",
    ordinary: {
      what: "the oldest sealed one is gone",
      async request({ world, scene }) {
        const { stream, topic } = scene;
        await world.root.value("purgeTopic", { stream, topic });
        // The write that finds the segment full still goes into it (spec SB 3.6): two messages, then one.
        for (const text of ["a", "b", "c"]) await world.send(scene, 0, text.repeat(600));
        const before = await world.root.content("getTopic", { stream, topic });
        expect(before.partitions[0]!.segmentsCount).toBe(2);
        return { stream, topic, partitionId: 0, segmentsCount: 1 };
      },
      async after({ world, scene: { stream, topic } }) {
        const { partitions } = await world.root.content("getTopic", { stream, topic });
        expect(partitions[0]).toMatchObject({ segmentsCount: 1, messagesCount: 1n, currentOffset: 2n });
        const polled = await world.root.content("pollMessages", {
          consumer: reader,
          stream,
          topic,
          partitionId: 0,
          ...fromFirst,
        });
        expect(polled.messages.map(({ offset }) => offset)).toEqual([2n]);
      },
    },
    more: [
      {
        what: "nothing for a count of 0",
        request: ({ scene: { stream, topic } }) => ({ stream, topic, partitionId: 0, segmentsCount: 0 }),
      },
      {
        what: "what there is if that is less",
        request: ({ scene: { stream, topic } }) => ({ stream, topic, partitionId: 1, segmentsCount: 9 }),
      },
    ],
    violations: [
      {
        error: 1009,
        what: "unknown stream",
        by: "guest",
        request: () => ({ stream: unknownId, topic: unknownId, partitionId: 9, segmentsCount: 1 }),
      },
      {
        error: 2010,
        what: "unknown topic",
        by: "guest",
        request: ({ scene: { stream } }) => ({ stream, topic: unknownId, partitionId: 9, segmentsCount: 1 }),
      },
      {
        error: 3007,
        what: "unknown partition",
        by: "guest",
        request: ({ scene: { stream, topic } }) => ({ stream, topic, partitionId: 2, segmentsCount: 1 }),
      },
      {
        error: 41,
        what: "no right",
        by: "guest",
        request: ({ scene: { stream, topic } }) => ({ stream, topic, partitionId: 0, segmentsCount: 1 }),
      },
    ],
  },
};
