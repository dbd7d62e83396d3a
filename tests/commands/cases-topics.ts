import { expect } from "bun:test";
import { nameId } from "../../src/protocol/identifier.ts";
import { sizeOf, topicHeaders } from "./cases-streams.ts";
import { isRecent } from "./expected.ts";
import type { Table } from "./table.ts";
import { fromFirst, never, plainTopic, reader, unknownId, unknownName, unlimited } from "./world.ts";

/** Partition record of a new partition; `segmentsCount` is 0 in the reply to its creation (spec BP 4.8). */
function emptyPartition(id: number, segmentsCount: number) {
  return { id, createdAtMicros: isRecent, segmentsCount, currentOffset: 0n, sizeBytes: 0n, messagesCount: 0n };
}

export const topicCases: Pick<
  Table,
  "getTopic" | "getTopics" | "createTopic" | "deleteTopic" | "updateTopic" | "purgeTopic"
> = {
  getTopic: {
    begins: "identifier",
    ordinary: {
      what: "header and partitions",
      async request({ world, scene }) {
        await world.send(scene, 1, "one", "three");
        return { stream: scene.stream, topic: scene.topic };
      },
      reply: ({ scene }) => ({
        ...topicHeaders(scene, ["one", "three"])[0]!,
        partitions: [
          emptyPartition(0, 1),
          {
            id: 1,
            createdAtMicros: isRecent,
            segmentsCount: 1,
            currentOffset: 1n,
            sizeBytes: sizeOf("one", "three"),
            messagesCount: 2n,
          },
        ],
      }),
    },
    more: [
      {
        what: "a topic without partitions, by names",
        request: ({ scene }) => ({ stream: nameId(scene.streamName), topic: nameId("empty") }),
        reply: ({ scene }) => ({ ...topicHeaders(scene, [])[1]!, partitions: [] }),
      },
      {
        what: "nothing for an unknown topic, also without rights",
        by: "guest",
        request: ({ scene }) => ({ stream: scene.stream, topic: unknownName }),
      },
      {
        what: "nothing for an unknown stream, also without rights",
        by: "guest",
        request: ({ scene }) => ({ stream: unknownId, topic: scene.topic }),
      },
    ],
    violations: [
      { error: 41, what: "no right", by: "guest", request: ({ scene: { stream, topic } }) => ({ stream, topic }) },
    ],
  },

  getTopics: {
    begins: "identifier",
    ordinary: {
      what: "every topic in ascending order",
      async request({ world, scene }) {
        await world.send(scene, 0, "text");
        return { stream: scene.stream };
      },
      reply: ({ scene }) => topicHeaders(scene, ["text"]),
    },
    more: [
      {
        what: "nothing for an unknown stream, also without rights",
        by: "guest",
        request: () => ({ stream: unknownId }),
      },
      {
        what: "nothing for a stream without topics",
        async request({ world }) {
          const name = world.uniqueName("bare");
          await world.root.value("createStream", { name });
          return { stream: nameId(name) };
        },
      },
    ],
    violations: [{ error: 41, what: "no right", by: "guest", request: ({ scene }) => ({ stream: scene.stream }) }],
  },

  createTopic: {
    begins: "identifier",
    ordinary: {
      what: "header with the values as asked for, and the partitions",
      request: ({ scene }) => ({
        stream: scene.stream,
        partitionsCount: 2,
        compressionCode: 2,
        messageExpiryMicros: 3_600_000_000n,
        maxTopicSizeBytes: 5_000_000_000n,
        replicationFactor: 3,
        name: "new",
      }),
      reply: () => ({
        id: 3,
        createdAtMicros: isRecent,
        partitionsCount: 2,
        messageExpiryMicros: 3_600_000_000n,
        compression: "gzip",
        maxTopicSizeBytes: 5_000_000_000n,
        replicationFactor: 3,
        sizeBytes: 0n,
        messagesCount: 0n,
        name: "new",
        partitions: [emptyPartition(0, 0), emptyPartition(1, 0)],
      }),
      async after({ world, scene }) {
        const details = await world.root.content("getTopic", { stream: scene.stream, topic: nameId("new") });
        expect(details).toMatchObject({ id: 3, compression: "gzip", messageExpiryMicros: 3_600_000_000n });
        expect(details.partitions.map(({ id, segmentsCount }) => [id, segmentsCount])).toEqual([
          [0, 1],
          [1, 1],
        ]);
      },
    },
    more: [
      {
        what: "server defaults resolved, replication factor 0 as 1, no partitions",
        request: ({ scene }) => ({
          stream: nameId(scene.streamName),
          partitionsCount: 0,
          compressionCode: 1,
          messageExpiryMicros: 0n,
          maxTopicSizeBytes: 0n,
          replicationFactor: 0,
          name: "new",
        }),
        reply: () => ({
          id: 3,
          createdAtMicros: isRecent,
          partitionsCount: 0,
          messageExpiryMicros: never,
          compression: "none",
          maxTopicSizeBytes: unlimited,
          replicationFactor: 1,
          sizeBytes: 0n,
          messagesCount: 0n,
          name: "new",
          partitions: [],
        }),
      },
    ],
    violations: [
      {
        error: 2015,
        what: "1001 partitions",
        by: "guest",
        request: () => ({ ...plainTopic, stream: unknownId, partitionsCount: 1001, compressionCode: 9, name: "other" }),
      },
      {
        error: 3,
        what: "unknown compression",
        by: "guest",
        request: () => ({ ...plainTopic, stream: unknownId, partitionsCount: 1, compressionCode: 0, name: "other" }),
      },
      {
        error: 1009,
        what: "unknown stream",
        by: "guest",
        request: () => ({
          ...plainTopic,
          stream: unknownName,
          partitionsCount: 1,
          maxTopicSizeBytes: 1n,
          name: "other",
        }),
      },
      {
        error: 41,
        what: "no right",
        by: "guest",
        request: ({ scene: { stream } }) => ({
          ...plainTopic,
          stream,
          partitionsCount: 1,
          maxTopicSizeBytes: 1n,
          name: "other",
        }),
      },
      {
        error: 1019,
        what: "less than a segment",
        request: ({ scene: { stream } }) => ({
          ...plainTopic,
          stream,
          partitionsCount: 1,
          maxTopicSizeBytes: 511n,
          name: "other",
        }),
      },
      {
        error: 2013,
        what: "name taken",
        request: ({ scene: { stream } }) => ({ ...plainTopic, stream, partitionsCount: 1, name: "other" }),
      },
    ],
  },

  deleteTopic: {
    begins: "identifier",
    ordinary: {
      what: "the topic is gone, the others stay",
      request: ({ scene: { stream, topic } }) => ({ stream, topic }),
      async after({ world, scene: { stream, topic } }) {
        expect(await world.root.value("getTopic", { stream, topic })).toBeUndefined();
        const left = await world.root.content("getTopics", { stream });
        expect(left.map(({ name }) => name)).toEqual(["empty", "other"]);
      },
    },
    violations: [
      { error: 1009, what: "unknown stream", by: "guest", request: () => ({ stream: unknownId, topic: unknownId }) },
      { error: 2010, what: "unknown", by: "guest", request: ({ scene: { stream } }) => ({ stream, topic: unknownId }) },
      { error: 41, what: "no right", by: "guest", request: ({ scene: { stream, topic } }) => ({ stream, topic }) },
    ],
  },

  updateTopic: {
    begins: "identifier",
    ordinary: {
      what: "all values change",
      request: ({ scene: { stream, topic } }) => ({
        stream,
        topic,
        compressionCode: 2,
        messageExpiryMicros: 60_000_000n,
        maxTopicSizeBytes: 6_000_000_000n,
        replicationFactor: 2,
        name: "renamed",
      }),
      async after({ world, scene: { stream, topic, topicId: id } }) {
        expect(await world.root.value("getTopic", { stream, topic })).toMatchObject({
          id,
          partitionsCount: 2,
          compression: "gzip",
          messageExpiryMicros: 60_000_000n,
          maxTopicSizeBytes: 6_000_000_000n,
          replicationFactor: 2,
          name: "renamed",
        });
        expect(await world.root.value("getTopic", { stream, topic: nameId("topic") })).toBeUndefined();
      },
    },
    more: [
      {
        what: "its own name, server defaults resolved",
        request: ({ scene: { stream, topic } }) => ({
          stream,
          topic,
          compressionCode: 1,
          messageExpiryMicros: 0n,
          maxTopicSizeBytes: 0n,
          replicationFactor: 0,
          name: "topic",
        }),
        async after({ world, scene: { stream, topic } }) {
          expect(await world.root.value("getTopic", { stream, topic })).toMatchObject({
            messageExpiryMicros: never,
            maxTopicSizeBytes: unlimited,
            replicationFactor: 1,
            name: "topic",
          });
        },
      },
    ],
    violations: [
      {
        error: 3,
        what: "unknown compression",
        by: "guest",
        request: () => ({ ...plainTopic, stream: unknownId, topic: unknownId, compressionCode: 3, name: "other" }),
      },
      {
        error: 1009,
        what: "unknown stream",
        by: "guest",
        request: () => ({ ...plainTopic, stream: unknownId, topic: unknownId, name: "other" }),
      },
      {
        error: 2010,
        what: "unknown topic",
        by: "guest",
        request: ({ scene: { stream } }) => ({ ...plainTopic, stream, topic: unknownName, name: "other" }),
      },
      {
        error: 41,
        what: "no right",
        by: "guest",
        request: ({ scene: { stream, topic } }) => ({ ...plainTopic, stream, topic, name: "other" }),
      },
      {
        error: 2013,
        what: "name taken",
        request: ({ scene: { stream, topic } }) => ({ ...plainTopic, stream, topic, name: "other" }),
      },
    ],
  },

  purgeTopic: {
    begins: "identifier",
    ordinary: {
      what: "no messages, offsets from 0, stored offsets forgotten",
      async request({ world, scene }) {
        const { stream, topic } = scene;
        await world.send(scene, 0, "one", "two");
        await world.root.value("storeConsumerOffset", { consumer: reader, stream, topic, partitionId: 0, offset: 1n });
        return { stream, topic };
      },
      async after({ world, scene }) {
        const { stream, topic } = scene;
        const details = await world.root.content("getTopic", { stream, topic });
        expect(details).toMatchObject({ sizeBytes: 0n, messagesCount: 0n, partitionsCount: 2 });
        const stored = await world.root.value("getConsumerOffset", { consumer: reader, stream, topic, partitionId: 0 });
        expect(stored).toBeUndefined();
        await world.send(scene, 0, "first again");
        const polled = await world.root.content("pollMessages", {
          consumer: reader,
          stream,
          topic,
          partitionId: 0,
          ...fromFirst,
        });
        expect(polled.messages.map(({ offset }) => offset)).toEqual([0n]);
      },
    },
    violations: [
      { error: 1009, what: "unknown stream", by: "guest", request: () => ({ stream: unknownName, topic: unknownId }) },
      {
        error: 2010,
        what: "unknown",
        by: "guest",
        request: ({ scene: { stream } }) => ({ stream, topic: unknownName }),
      },
      { error: 41, what: "no right", by: "guest", request: ({ scene: { stream, topic } }) => ({ stream, topic }) },
    ],
  },
};
