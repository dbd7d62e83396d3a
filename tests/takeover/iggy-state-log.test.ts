import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { createStreamRequestCodec } from "../../src/protocol/stream/create-stream.ts";
import { deleteStreamRequestCodec } from "../../src/protocol/stream/delete-stream.ts";
import { createCipher } from "../../src/security/encryption.ts";
import { type CommandCipher, readIggyEntries } from "../../src/takeover/iggy-state-log.ts";
import { TakeoverError } from "../../src/takeover/takeover-error.ts";
import { recordedLog, request, withId, writeLog } from "./iggy-log.ts";

function readAll(bytes: Uint8Array, cipher?: CommandCipher) {
  return [...readIggyEntries(bytes, cipher)];
}

function errorOf(bytes: Uint8Array, cipher?: CommandCipher): TakeoverError {
  try {
    readAll(bytes, cipher);
  } catch (error) {
    if (error instanceof TakeoverError) return error;
    throw error;
  }
  throw new Error("the log was read");
}

const createStream = (id: number, name: string) => ({
  command: "createStream" as const,
  bytes: withId(id, createStreamRequestCodec, { name }),
});

describe("recorded log", () => {
  const entries = readAll(recordedLog);

  test("every entry is read, in order", () => {
    expect(entries.map(({ index, userId, code, command }) => [index, userId, code, command.kind])).toEqual([
      [0, 0, 33, "createUser"],
      [1, 0, 202, "createStream"],
      [2, 0, 302, "createTopic"],
      [3, 0, 202, "createStream"],
      [4, 0, 302, "createTopic"],
      [5, 0, 602, "createConsumerGroup"],
      [6, 0, 33, "createUser"],
      [7, 0, 33, "createUser"],
      [8, 0, 42, "createPersonalAccessToken"],
      [9, 0, 202, "createStream"],
      [10, 0, 203, "deleteStream"],
      [11, 0, 304, "updateTopic"],
      [12, 0, 402, "createPartitions"],
      [13, 0, 37, "changePassword"],
    ]);
  });

  test("commands come with what the server added", () => {
    expect(entries[4]!.command).toEqual({
      kind: "createTopic",
      id: 0,
      request: {
        stream: { kind: "numeric", value: 1 },
        partitionsCount: 1,
        compressionCode: 2,
        messageExpiryMicros: 3_600_000_000n,
        maxTopicSizeBytes: 2n ** 31n,
        replicationFactor: 1,
        name: "logs",
      },
    });
    expect(entries[8]!.command).toEqual({
      kind: "createPersonalAccessToken",
      tokenHash: "511ed9a6ba4022ba1a3213d27328a1cbcd9aa016ed127fd4e3a1eb86f5487f92",
      request: { name: "ci-token", expiryMicros: 0n },
    });
    expect(entries[13]!.command).toMatchObject({ kind: "changePassword", request: { currentPassword: "" } });
    expect(entries[1]!.timestampMicros).toBe(0x066102_1f109e39);
  });

  /** The number of the entry in which a byte lies. */
  function entryAt(position: number): number {
    return entries.findLastIndex((entry) => entry.position <= position);
  }

  test("a change of any byte names the entry and where it starts", () => {
    for (let position = 0; position < recordedLog.byteLength; position++) {
      const damaged = recordedLog.slice();
      damaged[position]! ^= 1 << (position % 8);
      const error = errorOf(damaged);
      const number = entryAt(position);
      expect([error.entryIndex, error.position]).toEqual([number, entries[number]!.position]);
      expect(error.message).toContain(`entry ${number} of the Iggy metadata log, at byte ${error.position}: `);
    }
  });

  test("a cut anywhere but between two entries names the last one", () => {
    const starts = new Set(entries.map((entry) => entry.position));
    for (let sizeBytes = 1; sizeBytes < recordedLog.byteLength; sizeBytes++) {
      const cut = recordedLog.subarray(0, sizeBytes);
      if (starts.has(sizeBytes)) expect(readAll(cut)).toHaveLength(entryAt(sizeBytes));
      else expect(errorOf(cut).entryIndex).toBe(entryAt(sizeBytes - 1));
    }
  });
});

describe("entries", () => {
  test("an empty file has none", () => expect(readAll(new Uint8Array(0))).toEqual([]));

  test("any bytes give entries or a TakeoverError, nothing else", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        if (bytes.byteLength > 0) errorOf(bytes);
      }),
    );
  });

  test("a context is skipped", () => {
    const log = writeLog([createStream(0, "a"), createStream(1, "b")], undefined, new Uint8Array([1, 2, 3]));
    expect(readAll(log).map(({ command }) => command.kind)).toEqual(["createStream", "createStream"]);
  });

  test("the second may repeat index 0, as after a first start; a gap is refused", () => {
    const entry = (index: number) => ({ ...createStream(index, `s${index}`), index });
    expect(readAll(writeLog([entry(0), entry(0), entry(1)])).map(({ index }) => index)).toEqual([0, 0, 1]);
    const error = errorOf(writeLog([entry(0), entry(1), entry(2), entry(4)]));
    expect(error.entryIndex).toBe(3);
    expect(error.reason).toContain("index 4");
  });

  test("an intact entry that is no known command is refused with its code", () => {
    expect(errorOf(writeLog([{ command: 101, bytes: new Uint8Array(3) }])).reason).toContain("101 (sendMessages)");
    expect(errorOf(writeLog([{ command: 9999, bytes: new Uint8Array(3) }])).reason).toContain("9999 (unknown)");
  });

  test.each([
    ["too short", withId(0, createStreamRequestCodec, { name: "abc" }).subarray(0, 10)],
    ["followed by bytes", Buffer.concat([withId(0, createStreamRequestCodec, { name: "abc" }), new Uint8Array(1)])],
  ])("an intact entry with a command that is %s is refused", (_, bytes) => {
    const error = errorOf(writeLog([{ command: "createStream", bytes }]));
    expect(error.reason).toContain("202 (createStream)");
  });
});

describe("encryption", () => {
  const cipher = createCipher(Buffer.alloc(32, 7).toString("base64"));
  const entries = [
    createStream(0, "a"),
    {
      command: "deleteStream" as const,
      bytes: request(deleteStreamRequestCodec, { stream: { kind: "numeric", value: 0 } }),
    },
  ];
  const encrypted = writeLog(entries, cipher);

  test("commands are decrypted; the checksum is that of the clear ones", () => {
    expect(readAll(encrypted, cipher).map(({ command }) => command)).toEqual(
      readAll(writeLog(entries)).map(({ command }) => command),
    );
  });

  test("another key, no key, or a log without encryption name the first entry", () => {
    const other = createCipher(Buffer.alloc(32, 8).toString("base64"));
    expect(errorOf(encrypted, other).reason).toContain("cannot be decrypted");
    expect(errorOf(encrypted).reason).toContain("encryption");
    expect(errorOf(recordedLog, cipher).entryIndex).toBe(0);
  });

  test("a change of any byte is found", () => {
    for (let position = 0; position < encrypted.byteLength; position++) {
      const damaged = Uint8Array.from(encrypted);
      damaged[position]! ^= 0x10;
      errorOf(damaged, cipher);
    }
  });
});
