// As much of a broker as the benchmark needs, in memory: streams with one partition, sends, polls by offset. A test can
// spoil the poll replies.

import { ByteWriter } from "../../src/protocol/byte-writer.ts";
import { decode, encode } from "../../src/protocol/codec.ts";
import { CommandCode } from "../../src/protocol/codes.ts";
import { errorCodes } from "../../src/protocol/errors.ts";
import { MessageLayout, messageHeaderBytes } from "../../src/protocol/message-layout.ts";
import { commandCodecs } from "../../src/protocol/registry.ts";
import {
  type ScriptedRequest,
  type ScriptedServer,
  startScriptedServer,
  userIdReply,
} from "../client/scripted-server.ts";

/** Messages as they lie on the wire, each at its offset. */
type StreamLog = Uint8Array[];

export type FakeBroker = ScriptedServer & { readonly streams: Map<string, StreamLog> };

/** Messages to answer a poll with, made from the right ones. */
export type Spoil = (messages: readonly Uint8Array[], firstOffset: number) => readonly Uint8Array[];

const topicTail = {
  createdAtMicros: 1n,
  messageExpiryMicros: 0n,
  compression: "none",
  maxTopicSizeBytes: 0n,
  replicationFactor: 1,
  sizeBytes: 0n,
} as const;

function topicReply(name: string, messagesCount: bigint): Uint8Array {
  const partition = { id: 0, createdAtMicros: 1n, segmentsCount: 1, currentOffset: 0n, sizeBytes: 0n, messagesCount };
  const details = { id: 0, name, partitionsCount: 1, messagesCount, partitions: [partition], ...topicTail };
  return encode(commandCodecs.getTopic.reply, details);
}

function nameOf(identifier: { readonly value: string | number }): string {
  return String(identifier.value);
}

function append(log: StreamLog, request: ScriptedRequest): void {
  const { messages } = decode(commandCodecs.sendMessages.request, request.payload);
  for (const message of messages) {
    const writer = new ByteWriter(messageHeaderBytes + message.payload.length);
    writer.u64(0n);
    writer.u128(1n);
    writer.u64(BigInt(log.length));
    writer.u64(1n);
    writer.u64(message.originTimestampMicros ?? 0n);
    writer.u32(0);
    writer.u32(message.payload.length);
    writer.u64(0n);
    writer.bytes(message.payload);
    log.push(sealed(writer.finish()));
  }
}

/** The message with the checksum that belongs to it. */
export function sealed(message: Uint8Array): Uint8Array {
  const view = new DataView(message.buffer, message.byteOffset);
  const checksum = Bun.hash.xxHash3(message.subarray(MessageLayout.checksumStart));
  view.setBigUint64(MessageLayout.checksum, BigInt(checksum), true);
  return message;
}

/** A poll reply that holds these messages. */
export function pollReply(messages: readonly Uint8Array[]): Uint8Array {
  const writer = new ByteWriter();
  writer.u32(0);
  writer.u64(0n);
  writer.u32(messages.length);
  for (const message of messages) writer.bytes(message);
  return writer.finish();
}

/** `lose`: acknowledged batches that are not stored, by number of the send. */
export function startFakeBroker(
  spoil: Spoil = (messages) => messages,
  loses: (send: number) => boolean = () => false,
): FakeBroker {
  const streams = new Map<string, StreamLog>();
  let sends = 0;
  const server = startScriptedServer((request) => {
    server.requests.length = 0;
    switch (request.code) {
      case CommandCode.loginUser: {
        const { password } = decode(commandCodecs.loginUser.request, request.payload);
        return password === "iggy" ? request.reply(userIdReply(0)) : request.refuse(errorCodes.InvalidCredentials);
      }
      case CommandCode.getStream:
      case CommandCode.deleteStream: {
        const name = nameOf(decode(commandCodecs.getStream.request, request.payload).stream);
        if (request.code === CommandCode.deleteStream) streams.delete(name);
        return request.reply(streams.has(name) ? streamReply(name) : undefined);
      }
      case CommandCode.createStream: {
        const { name } = decode(commandCodecs.createStream.request, request.payload);
        streams.set(name, []);
        return request.reply(streamReply(name));
      }
      case CommandCode.createTopic:
        return request.reply(topicReply("topic-1", 0n));
      case CommandCode.getTopic: {
        const { stream } = decode(commandCodecs.getTopic.request, request.payload);
        const log = streams.get(nameOf(stream));
        return request.reply(log && topicReply("topic-1", BigInt(log.length)));
      }
      case CommandCode.sendMessages: {
        const { stream } = decode(commandCodecs.sendMessages.request, request.payload);
        const log = streams.get(nameOf(stream));
        if (log === undefined) return request.refuse(errorCodes.StreamIdNotFound);
        if (!loses(sends++)) append(log, request);
        return request.reply();
      }
      case CommandCode.pollMessages: {
        const { stream, strategy, count } = decode(commandCodecs.pollMessages.request, request.payload);
        const first = Number(strategy.value);
        const messages = streams.get(nameOf(stream))?.slice(first, first + count) ?? [];
        return request.reply(pollReply(messages.length > 0 ? spoil(messages, first) : messages));
      }
      default:
        return request.refuse(errorCodes.InvalidCommand);
    }
  });
  return Object.assign(server, { streams });
}

function streamReply(name: string): Uint8Array {
  const header = { id: 0, createdAtMicros: 1n, topicsCount: 0, sizeBytes: 0n, messagesCount: 0n, name };
  return encode(commandCodecs.createStream.reply, header);
}
