// The reply to a poll of 0.9 gives its read back exactly once, also where a file cannot be read or nobody takes the bytes.
import { afterAll, expect, test } from "bun:test";
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PollReplyLayout, pollReplyHeadBytes } from "../../src/protocol/message-layout.ts";
import { HeaderLayout, headerBytes } from "../../src/protocol/v09/headers.ts";
import type { ShardRead } from "../../src/shard/index.ts";
import type { Output, OutputPart } from "../../src/transport/output.ts";
import { writeRecords } from "../../src/transport/v09/record-writer.ts";
import { requestFrame } from "../protocol/v09/support.ts";
import { buildStored } from "../storage/kernel/records.ts";

const directory = mkdtempSync(join(tmpdir(), "whippet-records-"));
const path = join(directory, "log");
const header = requestFrame({ operation: 2, code: 100 });
const messages = buildStored(
  Array.from({ length: 2000 }, (_, index) => ({
    id: BigInt(index + 1),
    payload: new Uint8Array(1000).fill(index),
    userHeaders: new Uint8Array(0),
    originTimestamp: 1n,
    offset: BigInt(index),
    timestamp: 2n,
  })),
);
const messageBytes = messages.byteLength / 2000;
writeFileSync(path, messages);
const fd = openSync(path, "r");
const shortPath = join(directory, "short");
writeFileSync(shortPath, messages.subarray(0, messageBytes * 3 + 10));
const shortFd = openSync(shortPath, "r");

afterAll(() => {
  closeSync(fd);
  closeSync(shortFd);
  rmSync(directory, { recursive: true });
});

function readOf(
  descriptor: number,
  messagesCount: number,
): { readonly read: ShardRead; readonly released: () => number } {
  let releases = 0;
  const sizeBytes = messagesCount * messageBytes;
  const parts = messagesCount === 0 ? [] : [{ kind: "file", fd: descriptor, position: 0, sizeBytes } as const];
  const read = { currentOffset: 0, messagesCount, sizeBytes, parts, release: () => void releases++ };
  return { read, released: () => releases };
}

/** Takes what `takes` lets it, as an output that keeps its queue when a write fails. */
class TestOutput implements Output {
  readonly isEmpty = true;
  readonly #takes: (bytes: Uint8Array) => void;
  #done: (() => void)[] = [];

  constructor(takes: (bytes: Uint8Array) => void = () => undefined) {
    this.#takes = takes;
  }

  write(bytes: Uint8Array): void {
    this.#takes(bytes);
  }

  writeParts(head: Uint8Array, parts: readonly OutputPart[], done: () => void): void {
    this.#done.push(done);
    this.#takes(head);
    for (const part of parts) {
      if (part.kind !== "made") throw new Error("records are made");
      for (let at = 0; at < part.sizeBytes; ) {
        const bytes = part.bytesFrom(at);
        this.#takes(bytes);
        at += bytes.byteLength;
      }
    }
    this.close();
  }

  close(): void {
    for (const done of this.#done.splice(0)) done();
  }
}

test.each([5, 2000])("the head announces the bytes of %d messages, and comes before them", (count) => {
  const taken: Uint8Array[] = [];
  const { read } = readOf(fd, count);
  writeRecords(new TestOutput((bytes) => taken.push(bytes.slice())), header, { partitionId: 1, read });
  const reply = Buffer.concat(taken);
  expect(reply.readUInt32LE(HeaderLayout.size)).toBe(reply.byteLength);
  expect(reply.readUInt32LE(headerBytes + PollReplyLayout.messagesCount)).toBe(count);
  // A large reply's head goes alone: the socket may hold it back until there is more (`Outbound.writeParts`).
  if (count === 2000) expect(taken[0]!.byteLength).toBe(headerBytes + pollReplyHeadBytes);
  else expect(taken.length).toBe(1);
});

const refuse = () => {
  throw new Error("nobody takes it");
};

test.each([
  ["nothing", fd, 0, undefined, false],
  ["a small reply", fd, 5, undefined, false],
  ["a reply of pieces", fd, 2000, undefined, false],
  ["a small reply that nobody takes", fd, 5, refuse, true],
  ["an empty reply that nobody takes", fd, 0, refuse, true],
  ["a reply of pieces that nobody takes", fd, 2000, refuse, true],
  ["a small reply whose file ends too early", shortFd, 5, undefined, true],
  ["a reply of pieces whose file ends too early", shortFd, 2000, undefined, true],
] as const)("%s", (_name, descriptor, count, takes, throws) => {
  const { read, released } = readOf(descriptor, count);
  const output = new TestOutput(takes);
  const write = () => writeRecords(output, header, { partitionId: 1, read });
  if (throws) expect(write).toThrow();
  else write();
  output.close(); // what follows a failure
  expect(released()).toBe(1);
});
