import { expect, test } from "bun:test";
import { pollReplyOf } from "../../src/bench/http-reply.ts";
import { firstOriginMicros, messagesCountOf, PollChecker } from "../../src/bench/poll-check.ts";
import { decode } from "../../src/protocol/codec.ts";
import { commandCodecs } from "../../src/protocol/registry.ts";

const id = 340_282_366_920_938_463_463_374_607_431_768_211_455n;
const checksum = 18_446_744_073_709_551_613n;

function messageText(offset: number, payload: string): string {
  const numbers = `"checksum":${checksum},"id":${id},"offset":${offset},"timestamp":1776240002000001,"origin_timestamp":1776240001999007`;
  const header = `{${numbers},"user_headers_length":0,"payload_length":5,"reserved":0}`;
  return `{"header":${header},"payload":"${Buffer.from(payload).toString("base64")}","user_headers":[]}`;
}

test("a JSON answer becomes a poll reply with the same messages, ids and checksums to the last digit", () => {
  const messages = [messageText(7, "hello"), messageText(8, "worlds")].join(",");
  const reply = pollReplyOf(`{"partition_id":3,"current_offset":8,"count":2,"messages":[${messages}]}`);
  const polled = decode(commandCodecs.pollMessages.reply, reply);
  expect(polled).toMatchObject({ partitionId: 3, currentOffset: 8n });
  expect(polled.messages.map(({ offset }) => offset)).toEqual([7n, 8n]);
  expect(polled.messages.map(({ payload }) => Buffer.from(payload).toString())).toEqual(["hello", "worlds"]);
  expect(polled.messages[0]).toMatchObject({ id, checksum, timestampMicros: 1_776_240_002_000_001n });
  expect(firstOriginMicros(reply)).toBe(1_776_240_001_999_007);
});

test("an empty answer is an empty reply", () => {
  expect(messagesCountOf(pollReplyOf('{"partition_id":0,"current_offset":0,"count":0,"messages":[]}'))).toBe(0);
});

test("a message with another checksum is found", () => {
  const checker = new PollChecker(new TextEncoder().encode("hello"));
  checker.check(
    pollReplyOf(`{"partition_id":0,"current_offset":0,"count":1,"messages":[${messageText(0, "hello")}]}`),
    0,
  );
  expect(checker.counts).toMatchObject({ messages: 1, sampled: 1, damaged: 1 });
});
