// What travels between workers is cloned on its way: everything must come out as it went in.
import { describe, expect, test } from "bun:test";
import type { ShardMessage } from "../../src/shard/messages.ts";
import { sampleControlCommands, sampleEvents, sampleReplies, sampleRequests } from "./samples.ts";

type Kind = keyof typeof sampleRequests;
const kinds = Object.keys(sampleRequests) as Kind[];

describe("structuredClone keeps", () => {
  test.each(kinds)("requests of kind %s", (name) => {
    const message: ShardMessage = { kind: "request", requestId: 1, name, body: sampleRequests[name] };
    expect(structuredClone(message)).toEqual(message);
  });

  test.each(kinds)("replies of kind %s", (name) => {
    const message: ShardMessage = { kind: "reply", requestId: 1, body: sampleReplies[name] };
    expect(structuredClone(message)).toEqual(message);
  });

  test.each(Object.values(sampleControlCommands))("control command $kind", (command) => {
    expect(structuredClone(command)).toEqual(command);
  });

  test.each(Object.values(sampleEvents))("event $kind", (event) => {
    expect(structuredClone(event)).toEqual(event);
  });

  test("the other messages", () => {
    const others: ShardMessage[] = [
      { kind: "failure", requestId: 1, errorName: "PartitionNotFound", params: [1, "two", 3n] },
      { kind: "release", leaseId: 4 },
      { kind: "adopt", connection: { fd: 5, state: { unread: new Uint8Array(2), session: { userId: undefined } } } },
    ];
    for (const message of others) expect(structuredClone(message)).toEqual(message);
  });
});

test("a batch in memory of its own is shared on its way, not copied", () => {
  const { large } = structuredClone(sampleRequests.append);
  new Uint8Array(sampleRequests.append.large!)[0] = 77;
  expect(new Uint8Array(large!)[0]).toBe(77);
});
