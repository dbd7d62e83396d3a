import { expect } from "bun:test";
import { nameId } from "../../src/protocol/identifier.ts";
import { isCount, isRecent } from "./expected.ts";
import type { Table } from "./table.ts";
import { message, never, type Scene, unknownId, unknownName, unlimited } from "./world.ts";

/** Bytes of messages with these texts: 64 for the header of each. */
export function sizeOf(...texts: readonly string[]): bigint {
  return BigInt(texts.reduce((sum, text) => sum + 64 + text.length, 0));
}

/** The scene's topics as a stream's details and the list of topics show them, with this much in the first one. */
export function topicHeaders({ topicId }: Scene, texts: readonly string[]) {
  const header = (id: number, name: string, partitionsCount: number) => ({
    id,
    createdAtMicros: isRecent,
    partitionsCount,
    messageExpiryMicros: never,
    compression: "none" as const,
    maxTopicSizeBytes: unlimited,
    replicationFactor: 1,
    sizeBytes: 0n,
    messagesCount: 0n,
    name,
  });
  const first = { ...header(topicId, "topic", 2), sizeBytes: sizeOf(...texts), messagesCount: BigInt(texts.length) };
  return [first, header(topicId + 1, "empty", 0), header(topicId + 2, "other", 3)];
}

export const streamCases: Pick<
  Table,
  "getStream" | "getStreams" | "createStream" | "deleteStream" | "updateStream" | "purgeStream"
> = {
  getStream: {
    begins: "identifier",
    ordinary: {
      what: "header and topics in ascending order",
      async request({ world, scene }) {
        await world.send(scene, 0, "one", "three");
        await world.send(scene, 1, "four");
        return { stream: scene.stream };
      },
      reply: ({ scene }) => ({
        id: scene.streamId,
        createdAtMicros: isRecent,
        topicsCount: 3,
        sizeBytes: sizeOf("one", "three", "four"),
        messagesCount: 3n,
        name: scene.streamName,
        topics: topicHeaders(scene, ["one", "three", "four"]),
      }),
    },
    more: [
      {
        what: "the same by name",
        request: ({ scene }) => ({ stream: nameId(scene.streamName) }),
        reply: ({ scene }) => ({
          id: scene.streamId,
          createdAtMicros: isRecent,
          topicsCount: 3,
          sizeBytes: 0n,
          messagesCount: 0n,
          name: scene.streamName,
          topics: topicHeaders(scene, []),
        }),
      },
      {
        what: "nothing for an unknown number, also without rights",
        by: "guest",
        request: () => ({ stream: unknownId }),
      },
      {
        what: "nothing for an unknown name, also without rights",
        by: "guest",
        request: () => ({ stream: unknownName }),
      },
    ],
    violations: [{ error: 41, what: "no right", by: "guest", request: ({ scene }) => ({ stream: scene.stream }) }],
  },

  getStreams: {
    begins: "none",
    ordinary: {
      what: "every stream in ascending order",
      async request({ world, scene }) {
        await world.send(scene, 1, "text");
      },
      reply:
        ({ scene }) =>
        (streams) => {
          const ids = streams.map(({ id }) => id);
          const own = streams.find(({ id }) => id === scene.streamId);
          if (own === undefined || !isRecent(own.createdAtMicros)) return false;
          const { topicsCount, sizeBytes, messagesCount, name } = own;
          const isOwn =
            topicsCount === 3 && sizeBytes === sizeOf("text") && messagesCount === 1n && name === scene.streamName;
          return isOwn && ids.join() === ids.toSorted((left, right) => left - right).join();
        },
    },
    violations: [{ error: 41, what: "no right", by: "guest", request: () => undefined }],
  },

  createStream: {
    begins: "name",
    ordinary: {
      what: "the header",
      request: ({ world }) => ({ name: world.uniqueName("created") }),
      reply: (_stage, { name }) => ({
        id: isCount,
        createdAtMicros: isRecent,
        topicsCount: 0,
        sizeBytes: 0n,
        messagesCount: 0n,
        name,
      }),
      async after({ world }, { name }) {
        expect(await world.root.value("getStream", { stream: nameId(name) })).toMatchObject({ name, topics: [] });
      },
    },
    more: [
      {
        what: "the longest name, taken as it is",
        request: ({ world }) => ({ name: ` ${world.uniqueName("Ünïcode")} `.padEnd(253, "x") }),
        reply: (_stage, { name }) => ({
          id: isCount,
          createdAtMicros: isRecent,
          topicsCount: 0,
          sizeBytes: 0n,
          messagesCount: 0n,
          name,
        }),
      },
    ],
    violations: [
      { error: 41, what: "no right", by: "guest", request: ({ scene }) => ({ name: scene.streamName }) },
      { error: 1012, what: "name taken", request: ({ scene }) => ({ name: scene.streamName }) },
    ],
  },

  deleteStream: {
    begins: "identifier",
    ordinary: {
      what: "the stream is gone",
      request: ({ scene }) => ({ stream: scene.stream }),
      async after({ world, scene }) {
        expect(await world.root.value("getStream", { stream: scene.stream })).toBeUndefined();
        expect(await world.root.value("getStream", { stream: nameId(scene.streamName) })).toBeUndefined();
      },
    },
    violations: [
      { error: 1009, what: "unknown stream", by: "guest", request: () => ({ stream: unknownName }) },
      { error: 41, what: "no right", by: "guest", request: ({ scene }) => ({ stream: scene.stream }) },
    ],
  },

  updateStream: {
    begins: "identifier",
    ordinary: {
      what: "another name",
      request: ({ world, scene }) => ({ stream: scene.stream, name: world.uniqueName("renamed") }),
      async after({ world, scene }, { name }) {
        expect(await world.root.value("getStream", { stream: scene.stream })).toMatchObject({ name });
        expect(await world.root.value("getStream", { stream: nameId(scene.streamName) })).toBeUndefined();
      },
    },
    more: [
      {
        what: "its own name",
        request: ({ scene }) => ({ stream: scene.stream, name: scene.streamName }),
      },
    ],
    violations: [
      {
        error: 1009,
        what: "unknown",
        by: "guest",
        request: ({ scene }) => ({ stream: unknownId, name: scene.streamName }),
      },
      {
        error: 41,
        what: "no right",
        by: "guest",
        async request({ world, scene }) {
          const { streamName: name } = await world.scene();
          return { stream: scene.stream, name };
        },
      },
      {
        error: 1012,
        what: "name taken",
        async request({ world, scene }) {
          const { streamName: name } = await world.scene();
          return { stream: scene.stream, name };
        },
      },
    ],
  },

  purgeStream: {
    begins: "identifier",
    ordinary: {
      what: "every topic is empty, nothing else changes",
      async request({ world, scene }) {
        await world.send(scene, 0, "one", "two");
        const { stream, otherTopic: topic } = scene;
        const partitioning = { kind: "partition", partitionId: 2 } as const;
        await world.root.value("sendMessages", { stream, topic, partitioning, messages: [message("three")] });
        return { stream };
      },
      async after({ world, scene: { stream, streamName: name, topic } }) {
        const details = await world.root.content("getStream", { stream });
        expect(details).toMatchObject({ name, topicsCount: 3, sizeBytes: 0n, messagesCount: 0n });
        expect(details.topics.map(({ sizeBytes, messagesCount }) => sizeBytes + messagesCount)).toEqual([0n, 0n, 0n]);
        expect(await world.root.content("getConsumerGroups", { stream, topic })).toHaveLength(2);
      },
    },
    violations: [
      { error: 1009, what: "unknown stream", by: "guest", request: () => ({ stream: unknownId }) },
      { error: 41, what: "no right", by: "guest", request: ({ scene }) => ({ stream: scene.stream }) },
    ],
  },
};
