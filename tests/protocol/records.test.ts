// Rules of single records and requests that a round trip does not show.

import { describe, expect, test } from "bun:test";
import { decode, decodeStrict, encode } from "../../src/protocol/codec.ts";
import { numericId } from "../../src/protocol/identifier.ts";
import { optionalPartitionCodec } from "../../src/protocol/optional-partition.ts";
import { partitioningCodec } from "../../src/protocol/partitioning.ts";
import { clientHeaderCodec } from "../../src/protocol/records/client-header.ts";
import { compressionOf, userStatusOf } from "../../src/protocol/records/enumerations.ts";
import {
  optionalPermissionsCodec,
  type Permissions,
  permissionsCodec,
  type StreamPermissions,
} from "../../src/protocol/records/permissions.ts";
import { streamDetailsCodec } from "../../src/protocol/records/stream-details.ts";
import { topicDetailsCodec } from "../../src/protocol/records/topic-details.ts";
import { userDetailsCodec } from "../../src/protocol/records/user-header.ts";
import { snapshotOptionsOf } from "../../src/protocol/system/get-snapshot.ts";
import { createTopicRequestCodec } from "../../src/protocol/topic/create-topic.ts";
import { loginUserRequestCodec } from "../../src/protocol/user/login-user.ts";
import { updateUserRequestCodec } from "../../src/protocol/user/update-user.ts";
import { noGlobalRights } from "../support/permissions.ts";
import { codeOf, hex } from "./support.ts";

function streamEntry(streamId: number, readStream = false): StreamPermissions {
  return {
    streamId,
    manageStream: false,
    readStream,
    manageTopics: false,
    readTopics: false,
    pollMessages: false,
    sendMessages: false,
    topics: [],
  };
}

describe("permissions", () => {
  const unsorted: Permissions = { global: noGlobalRights, streams: [streamEntry(9), streamEntry(2)] };

  test("streams are written in ascending id", () => {
    const { streams } = decodeStrict(permissionsCodec, encode(permissionsCodec, unsorted));
    expect(streams.map(({ streamId }) => streamId)).toEqual([2, 9]);
  });

  test("a size is 11 bytes and 12 more for each stream", () => {
    expect(encode(permissionsCodec, { global: noGlobalRights, streams: [] })).toHaveLength(11);
    expect(encode(permissionsCodec, unsorted)).toHaveLength(35);
  });

  test("streams are read in any order, the last entry of a repeated id counts", () => {
    const entry = (id: string, read: string) => `${id}000000 00${read}00000000 00`;
    const block = hex(`${"00".repeat(10)} 01 ${entry("09", "00")} 01 ${entry("02", "00")} 01 ${entry("09", "01")} 00`);
    expect(decodeStrict(permissionsCodec, block).streams).toEqual([streamEntry(2), streamEntry(9, true)]);
  });

  test("any byte but 0 is a set flag", () => {
    const block = hex(`02${"00".repeat(9)} 00`);
    expect(decodeStrict(permissionsCodec, block).global.manageServers).toBeTrue();
  });

  test.each([
    ["equal to the block", "0b000000", 0],
    ["longer than the block", "0c000000", 4],
    ["shorter than the block", "0a000000", 4],
  ])("a length %s gives %s", (_, length, code) => {
    expect(codeOf(() => decode(optionalPermissionsCodec, hex(`01 ${length} ${"00".repeat(13)}`)))).toBe(code);
  });

  test("a flag other than 1 means absent, and what follows is not looked at", () => {
    for (const flag of ["00", "02", "ff"]) {
      expect(decode(optionalPermissionsCodec, hex(`${flag} 01000000 00`))).toBeUndefined();
    }
  });

  test("a list that is announced but missing is refused", () => {
    expect(codeOf(() => decode(permissionsCodec, hex(`${"00".repeat(10)} 01`)))).toBe(3);
  });
});

describe("details", () => {
  const stream = { id: 1, createdAtMicros: 5n, topicsCount: 7, sizeBytes: 0n, messagesCount: 0n, name: "s" };

  test("the count of a stream is written from its topics", () => {
    const bytes = encode(streamDetailsCodec, { ...stream, topics: [] });
    expect(decodeStrict(streamDetailsCodec, bytes).topicsCount).toBe(0);
  });

  test("a count that differs from the list is refused", () => {
    const bytes = encode(streamDetailsCodec, { ...stream, topics: [] });
    bytes[12] = 1;
    expect(codeOf(() => decode(streamDetailsCodec, bytes))).toBe(4);
  });

  test("an unknown compression in a reply is refused", () => {
    const bytes = hex(`${"00".repeat(24)} 03 ${"00".repeat(25)} 0161`);
    expect(codeOf(() => decode(topicDetailsCodec, bytes))).toBe(3);
  });

  test("a user without permissions ends in four zero bytes", () => {
    const user = { id: 2, createdAtMicros: 1750000003000000n, status: "inactive", username: "bob" } as const;
    const bytes = encode(userDetailsCodec, { ...user, permissions: undefined });
    expect(bytes.toHex()).toBe("02000000c02689a09d3706000203626f6200000000");
    expect(codeOf(() => decode(userDetailsCodec, bytes.subarray(0, -1)))).toBe(3);
  });

  test("a client that is not logged in has the user id 2^32 - 1", () => {
    const client = {
      clientId: 1,
      userId: undefined,
      transport: "websocket",
      address: "",
      consumerGroupsCount: 0,
    } as const;
    const bytes = encode(clientHeaderCodec, client);
    expect(bytes.toHex()).toBe("01000000ffffffff040000000000000000");
    expect(decodeStrict(clientHeaderCodec, bytes)).toEqual(client);
  });
});

describe("requests", () => {
  test("a login without version and context lengths is refused", () => {
    expect(codeOf(() => decode(loginUserRequestCodec, hex("0469676779 0469676779")))).toBe(3);
    expect(decode(loginUserRequestCodec, hex("0469676779 0469676779 00000000 00000000"))).toEqual({
      username: "iggy",
      password: "iggy",
      version: undefined,
      context: undefined,
    });
  });

  test("an update of a user that ends after the flags is whole, and a C# tail is ignored", () => {
    const expected = { user: numericId(2), username: undefined, statusCode: 1 };
    expect(decode(updateUserRequestCodec, hex("010402000000 00 01 01"))).toEqual(expected);
    expect(decode(updateUserRequestCodec, hex("010402000000 00 01 01 00"))).toEqual(expected);
  });

  test("partitions count, compression and status are left to the handler", () => {
    const payload = hex(`010400000000 e9030000 09 ${"ff".repeat(16)} 01 0161`);
    const request = decode(createTopicRequestCodec, payload);
    expect([request.partitionsCount, request.compressionCode]).toEqual([1001, 9]);
    expect(codeOf(() => compressionOf(request.compressionCode))).toBe(3);
    expect(codeOf(() => userStatusOf(0))).toBe(3);
    expect([compressionOf(2), userStatusOf(2)]).toEqual(["gzip", "inactive"]);
  });

  test("the names of a snapshot request", () => {
    expect(snapshotOptionsOf({ compressionCode: 2, typeCodes: [100] })).toEqual({
      compression: "deflated",
      types: ["all"],
    });
    for (const [compressionCode, typeCodes] of [
      [9, [1]],
      [1, [50]],
      [1, [100, 1]],
    ] as const) {
      expect(codeOf(() => snapshotOptionsOf({ compressionCode, typeCodes }))).toBe(3);
    }
  });

  test("only flag 1 gives a partition id", () => {
    expect(decode(optionalPartitionCodec, hex("01 07000000"))).toBe(7);
    for (const flag of ["00", "02"]) expect(decode(optionalPartitionCodec, hex(`${flag} 07000000`))).toBeUndefined();
    expect(encode(optionalPartitionCodec, undefined).toHex()).toBe("0000000000");
  });

  test.each([
    [{ kind: "balanced" }, "0100"],
    [{ kind: "partition", partitionId: 7 }, "020407000000"],
    [{ kind: "key", key: new TextEncoder().encode("user-42") }, "0307757365722d3432"],
  ] as const)("partitioning %j", (partitioning, bytes) => {
    expect(encode(partitioningCodec, partitioning).toHex()).toBe(bytes);
  });
});
