import { expect } from "bun:test";
import { encode } from "../../src/protocol/codec.ts";
import { type PolledMessage, pollMessagesReplyCodec } from "../../src/protocol/message/poll-messages.ts";
import { MessageLayout, pollReplyHeadBytes } from "../../src/protocol/message-layout.ts";
import { requestBytes } from "./caller.ts";
import { type Expected, isRecent } from "./expected.ts";
import type { Table } from "./table.ts";
import { fromFirst, message, reader, type Scene, toFirst, unknownId, unknownName } from "./world.ts";

const utf8 = new TextEncoder();
const ofGroup = ({ group }: Scene) => ({ kind: "group", id: group }) as const;
const ofUnknownGroup = { kind: "group", id: unknownId } as const;

/** The checksum is that of the rest of the message (spec BP 3.10). */
function isIntact(polled: PolledMessage): boolean {
  const bytes = encode(pollMessagesReplyCodec, { partitionId: 0, currentOffset: 0n, messages: [polled] });
  return Bun.hash.xxHash3(bytes.subarray(pollReplyHeadBytes + MessageLayout.checksumStart)) === polled.checksum;
}

/** A message that was sent without id and headers. */
function stored(offset: bigint, text: string): Expected<PolledMessage> {
  return (polled) => {
    const { id, timestampMicros, originTimestampMicros, reserved, payload, userHeaders } = polled;
    const isPlain = originTimestampMicros === 0n && reserved === 0n && userHeaders.length === 0;
    const isSame = polled.offset === offset && Buffer.from(payload).toString() === text;
    return isIntact(polled) && id !== 0n && isRecent(timestampMicros) && isPlain && isSame;
  };
}

const empty = { partitionId: 0, currentOffset: 0n, messages: [] } as const;

export const pollCases: Pick<Table, "pollMessages"> = {
  pollMessages: {
    begins: "consumer",
    ordinary: {
      what: "every field of every message",
      async request({ world, scene: { stream, topic } }) {
        const userHeaders = Uint8Array.fromHex("02010000006b02020000007631");
        const id = 0x0f0e0d0c0b0a09080706050403020100n;
        const messages = [
          message("one"),
          { id, payload: utf8.encode("two"), userHeaders, originTimestampMicros: 123n },
        ];
        await world.root.value("sendMessages", { stream, topic, partitioning: toFirst, messages });
        return { consumer: reader, stream, topic, partitionId: 0, ...fromFirst };
      },
      reply: () => ({
        partitionId: 0,
        currentOffset: 1n,
        messages: [
          stored(0n, "one"),
          {
            checksum: (checksum: bigint) => checksum !== 0n,
            id: 0x0f0e0d0c0b0a09080706050403020100n,
            offset: 1n,
            timestampMicros: isRecent,
            originTimestampMicros: 123n,
            reserved: 0n,
            payload: utf8.encode("two"),
            userHeaders: Uint8Array.fromHex("02010000006b02020000007631"),
          },
        ],
      }),
    },
    more: [
      {
        what: "partition 0 if none is named, from an offset, with auto-commit",
        async request({ world, scene }) {
          await world.send(scene, 0, "one", "two", "three");
          const { stream, topic } = scene;
          const strategy = { kind: "offset", value: 1n } as const;
          return { consumer: reader, stream, topic, partitionId: undefined, strategy, count: 1, autoCommit: true };
        },
        reply: () => ({ partitionId: 0, currentOffset: 2n, messages: [stored(1n, "two")] }),
        async after({ world, scene: { stream, topic } }) {
          const offset = await world.root.value("getConsumerOffset", {
            consumer: reader,
            stream,
            topic,
            partitionId: 0,
          });
          expect(offset).toEqual({ partitionId: 0, currentOffset: 2n, storedOffset: 1n });
        },
      },
      {
        what: "the last ones",
        async request({ world, scene }) {
          await world.send(scene, 1, "one", "two", "three");
          const { stream, topic } = scene;
          const strategy = { kind: "last", value: 0n } as const;
          return { consumer: reader, stream, topic, partitionId: 1, strategy, count: 2, autoCommit: false };
        },
        reply: () => ({ partitionId: 1, currentOffset: 2n, messages: [stored(1n, "two"), stored(2n, "three")] }),
      },
      {
        what: "the next one after the stored offset",
        async request({ world, scene }) {
          await world.send(scene, 0, "one", "two");
          const { stream, topic } = scene;
          await world.root.value("storeConsumerOffset", {
            consumer: reader,
            stream,
            topic,
            partitionId: 0,
            offset: 0n,
          });
          const strategy = { kind: "next", value: 0n } as const;
          return { consumer: reader, stream, topic, partitionId: 0, strategy, count: 10, autoCommit: false };
        },
        reply: () => ({ partitionId: 0, currentOffset: 1n, messages: [stored(1n, "two")] }),
      },
      {
        what: "from a time, here 0",
        async request({ world, scene }) {
          await world.send(scene, 0, "one");
          const { stream, topic } = scene;
          const strategy = { kind: "timestamp", value: 0n } as const;
          return { consumer: reader, stream, topic, partitionId: 0, strategy, count: 10, autoCommit: false };
        },
        reply: () => ({ partitionId: 0, currentOffset: 0n, messages: [stored(0n, "one")] }),
      },
      {
        what: "the current offset alone for a count of 0",
        async request({ world, scene }) {
          await world.send(scene, 1, "one", "two");
          const { stream, topic } = scene;
          return { consumer: reader, stream, topic, partitionId: 1, ...fromFirst, count: 0 };
        },
        reply: () => ({ partitionId: 1, currentOffset: 1n, messages: [] }),
      },
      {
        what: "no messages of an empty partition",
        request: ({ scene: { stream, topic } }) => ({ consumer: reader, stream, topic, partitionId: 1, ...fromFirst }),
        reply: () => ({ partitionId: 1, currentOffset: 0n, messages: [] }),
      },
      {
        what: "the next partition of a group's member",
        by: "member",
        async request({ world, scene }) {
          await world.send(scene, 0, "one");
          const { stream, topic } = scene;
          return { consumer: ofGroup(scene), stream, topic, partitionId: undefined, ...fromFirst };
        },
        reply: () => ({ partitionId: 0, currentOffset: 0n, messages: [stored(0n, "one")] }),
      },
      {
        what: "nothing where the partition is not the member's",
        by: "member",
        request: ({ scene }) => ({
          consumer: ofGroup(scene),
          stream: scene.stream,
          topic: scene.topic,
          partitionId: 9,
          ...fromFirst,
        }),
        reply: () => empty,
      },
    ],
    violations: [
      {
        error: 1009,
        what: "unknown stream",
        by: "guest",
        request: () => ({
          consumer: ofUnknownGroup,
          stream: unknownName,
          topic: unknownId,
          partitionId: 9,
          ...fromFirst,
        }),
      },
      {
        error: 2010,
        what: "unknown topic",
        by: "guest",
        request: ({ scene: { stream } }) => ({
          consumer: ofUnknownGroup,
          stream,
          topic: unknownId,
          partitionId: 9,
          ...fromFirst,
        }),
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
          ...fromFirst,
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
          ...fromFirst,
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
          ...fromFirst,
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
          ...fromFirst,
        }),
      },
      {
        error: 3007,
        what: "unknown partition",
        request: ({ scene: { stream, topic } }) => ({ consumer: reader, stream, topic, partitionId: 2, ...fromFirst }),
      },
      {
        error: 3,
        what: "unknown strategy, before all else",
        by: "guest",
        request() {
          const request = { consumer: reader, stream: unknownId, topic: unknownId, partitionId: 9, ...fromFirst };
          const bytes = requestBytes("pollMessages", request);
          bytes[bytes.length - 14] = 6;
          return bytes;
        },
      },
    ],
  },
};
