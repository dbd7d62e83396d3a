import { expect } from "bun:test";
import { type Identifier, nameId } from "../../src/protocol/identifier.ts";
import { MessageLayout } from "../../src/protocol/message-layout.ts";
import type { Partitioning } from "../../src/protocol/partitioning.ts";
import { requestBytes } from "./caller.ts";
import type { Stage, Table } from "./table.ts";
import { fromFirst, message, reader, toFirst, unknownId, unknownName } from "./world.ts";

const utf8 = new TextEncoder();

/** Metadata with two numeric identifiers and a partition: 4 + 6 + 6 + 6, then the count; then rows, then messages. */
const countPosition = 22;
const rowsPosition = 26;
const secondRowPosition = rowsPosition + 16;
const messagesPosition = rowsPosition + 2 * 16;
const secondMessagePosition = messagesPosition + 64 + 3;

/** An ordinary send of two messages of three bytes to stream and topic that do not exist, with other numbers at a few places. */
function wrongSend(...changes: readonly (readonly [position: number, value: number])[]): Uint8Array {
  const messages = [message("one"), message("two")];
  const bytes = requestBytes("sendMessages", {
    stream: unknownId,
    topic: unknownId,
    partitioning: { kind: "partition", partitionId: 9 },
    messages,
  });
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  for (const [position, value] of changes) view.setUint32(position, value, true);
  return bytes;
}

function bigSend(payloadBytes: number, headersBytes: number): Uint8Array {
  const messages = [{ payload: new Uint8Array(payloadBytes), userHeaders: new Uint8Array(headersBytes) }];
  return requestBytes("sendMessages", { stream: unknownId, topic: unknownId, partitioning: toFirst, messages });
}

function sendTo(stream: Identifier, topic: Identifier, partitioning: Partitioning) {
  return { stream, topic, partitioning, messages: [message("text")] };
}

async function polledTexts({ world, scene: { stream, topic } }: Stage, partitionId: number): Promise<string[]> {
  const { messages } = await world.root.content("pollMessages", {
    consumer: reader,
    stream,
    topic,
    partitionId,
    ...fromFirst,
  });
  return messages.map(({ payload }) => Buffer.from(payload).toString());
}

export const sendCases: Pick<Table, "sendMessages" | "flushUnsavedBuffer"> = {
  sendMessages: {
    begins: "send",
    ordinary: {
      what: "the messages are there",
      request: ({ scene: { stream, topic } }) => ({
        stream,
        topic,
        partitioning: toFirst,
        messages: [message("one"), message("")],
      }),
      async after(stage) {
        expect(await polledTexts(stage, 0)).toEqual(["one", ""]);
      },
    },
    more: [
      {
        what: "to the partition of the key",
        request: ({ scene: { stream, topic } }) => sendTo(stream, topic, { kind: "key", key: utf8.encode("abc") }),
        async after(stage) {
          // XXH32("abc") is 852579327: odd.
          expect([await polledTexts(stage, 0), await polledTexts(stage, 1)]).toEqual([[], ["text"]]);
        },
      },
      {
        what: "balanced, the first to partition 0",
        request: ({ scene: { streamName, topic } }) => sendTo(nameId(streamName), topic, { kind: "balanced" }),
        async after(stage) {
          expect([await polledTexts(stage, 0), await polledTexts(stage, 1)]).toEqual([["text"], []]);
        },
      },
      {
        what: "the largest user headers",
        request: ({ scene: { stream, topic } }) => ({
          stream,
          topic,
          partitioning: toFirst,
          messages: [{ payload: utf8.encode("text"), userHeaders: new Uint8Array(100_000) }],
        }),
        async after(stage) {
          expect(await polledTexts(stage, 0)).toEqual(["text"]);
        },
      },
    ],
    violations: [
      { error: 3, what: "more metadata than payload", by: "guest", request: () => wrongSend([0, 1_000_000]) },
      { error: 6, what: "unknown kind of stream identifier", by: "guest", request: () => wrongSend([4, 0x0403]) },
      { error: 6, what: "numeric identifier of 3 bytes", by: "guest", request: () => wrongSend([4, 0x0301]) },
      { error: 6, what: "empty name of a topic", by: "guest", request: () => wrongSend([10, 0x0002]) },
      { error: 3, what: "unknown partitioning", by: "guest", request: () => wrongSend([16, 0x0404]) },
      { error: 3, what: "partition of 3 bytes", by: "guest", request: () => wrongSend([16, 0x0302]) },
      { error: 3, what: "metadata end before the count", by: "guest", request: () => wrongSend([0, 18]) },
      { error: 3, what: "more rows than payload", by: "guest", request: () => wrongSend([countPosition, 1000]) },
      {
        error: 4009,
        what: "no messages",
        by: "guest",
        request: () =>
          requestBytes("sendMessages", { stream: unknownId, topic: unknownId, partitioning: toFirst, messages: [] }),
      },
      {
        error: 4031,
        what: "an offset in a row",
        by: "guest",
        request: () => wrongSend([secondRowPosition, 1], [secondRowPosition + 8, 1]),
      },
      {
        error: 4032,
        what: "a timestamp in a row",
        by: "guest",
        request: () => wrongSend([rowsPosition + 12, 1], [rowsPosition + 4, 63]),
      },
      { error: 4033, what: "a message of 63 bytes", by: "guest", request: () => wrongSend([rowsPosition + 4, 63]) },
      {
        error: 4033,
        what: "a message longer than its row says",
        by: "guest",
        request: () => wrongSend([messagesPosition + MessageLayout.payloadLength, 4]),
      },
      { error: 4022, what: "a payload of 64,000,001 bytes", request: () => bigSend(64_000_001, 100_001) },
      { error: 4017, what: "user headers of 100,001 bytes", by: "guest", request: () => bigSend(0, 100_001) },
      {
        error: 4100,
        what: "falling offsets",
        by: "guest",
        request: () =>
          wrongSend(
            [messagesPosition + MessageLayout.offset, 2],
            [secondMessagePosition + MessageLayout.offset, 1],
            [secondRowPosition + 4, 10],
          ),
      },
      { error: 10011, what: "falling positions", by: "guest", request: () => wrongSend([secondRowPosition + 4, 10]) },
      {
        error: 4036,
        what: "bytes behind the last message",
        by: "guest",
        request: () => wrongSend([secondMessagePosition + MessageLayout.payloadLength, 2]),
      },
      { error: 1009, what: "unknown stream", by: "guest", request: () => sendTo(unknownName, unknownId, toFirst) },
      {
        error: 2010,
        what: "unknown topic",
        by: "guest",
        request: ({ scene: { stream } }) => sendTo(stream, unknownName, toFirst),
      },
      {
        error: 41,
        what: "no right",
        by: "guest",
        request: ({ scene: { stream, emptyTopic } }) => sendTo(stream, emptyTopic, { kind: "balanced" }),
      },
      {
        error: 2010,
        what: "balanced to a topic without partitions",
        request: ({ scene: { stream, emptyTopic } }) => sendTo(stream, emptyTopic, { kind: "balanced" }),
      },
      {
        error: 2010,
        what: "by key to a topic without partitions",
        request: ({ scene: { stream, emptyTopic } }) =>
          sendTo(stream, emptyTopic, { kind: "key", key: utf8.encode("key") }),
      },
      {
        error: 3007,
        what: "unknown partition",
        request: ({ scene: { stream, topic } }) => sendTo(stream, topic, { kind: "partition", partitionId: 2 }),
      },
    ],
  },

  flushUnsavedBuffer: {
    begins: "identifier",
    ordinary: {
      what: "messages stay as they are",
      async request({ world, scene }) {
        await world.send(scene, 1, "one");
        return { stream: scene.stream, topic: scene.topic, partitionId: 1, fsync: true };
      },
      async after(stage) {
        expect(await polledTexts(stage, 1)).toEqual(["one"]);
      },
    },
    more: [
      {
        what: "an empty partition, without sync",
        request: ({ scene: { stream, topic } }) => ({ stream, topic, partitionId: 0, fsync: false }),
      },
    ],
    violations: [
      {
        error: 1009,
        what: "unknown stream",
        by: "guest",
        request: () => ({ stream: unknownId, topic: unknownId, partitionId: 9, fsync: true }),
      },
      {
        error: 2010,
        what: "unknown topic",
        by: "guest",
        request: ({ scene: { stream } }) => ({ stream, topic: unknownId, partitionId: 9, fsync: true }),
      },
      {
        error: 41,
        what: "no right",
        by: "guest",
        request: ({ scene: { stream, topic } }) => ({ stream, topic, partitionId: 9, fsync: true }),
      },
      {
        error: 3007,
        what: "unknown partition",
        request: ({ scene: { stream, topic } }) => ({ stream, topic, partitionId: 2, fsync: true }),
      },
    ],
  },
};
