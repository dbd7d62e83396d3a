// Options of 0.9 through the handlers, as the dispatch of either protocol calls them (spec P9 11.2).
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { encode } from "../../src/protocol/codec.ts";
import { CommandCode, type CommandName } from "../../src/protocol/codes.ts";
import { IggyError } from "../../src/protocol/errors.ts";
import { topicDetailsCodec } from "../../src/protocol/records/topic-details.ts";
import { HeaderKindCode } from "../../src/protocol/user-headers.ts";
import type { Option, ShownOptions } from "../../src/protocol/v09/options.ts";
import { commandTable } from "../../src/server/command-table.ts";
import type { ReplyValueOf } from "../../src/server/command-values.ts";
import { describeOptions, type ServerContext, type Session } from "../../src/server/index.ts";
import { startShards, type TestShards } from "../shard/setup.ts";
import { makeContext, makeSession } from "./setup.ts";

const stream = { kind: "string", value: "orders" } as const;
const topic = { kind: "string", value: "eu" } as const;
const never = 2n ** 64n - 1n;
const dayMicros = 86_400_000_000n;
/** What the dispatch of 0.9 fills in for create topic. */
const fillers = { compressionCode: 1, messageExpiryMicros: 0n, maxTopicSizeBytes: 0n, replicationFactor: 1 } as const;

let running: TestShards;
let context: ServerContext;
let session: Session;

beforeEach(async () => {
  running = startShards();
  context = makeContext(running.shards[0]);
  session = makeSession(0);
  await handle("createStream", { name: "orders", options: [] });
});
afterEach(() => running.close());

async function handle<N extends CommandName>(name: N, request: unknown, at: ServerContext = context) {
  const command = commandTable.get(CommandCode[name])!;
  return (await command.handle(at, session, request)) as ReplyValueOf<N>;
}

/** Code of the error; 0 for success. */
async function codeOf(work: Promise<unknown>): Promise<number> {
  try {
    await work;
    return 0;
  } catch (error) {
    if (error instanceof IggyError) return error.code;
    throw error;
  }
}

const text = (key: string, value: string): Option => ({
  key,
  kind: HeaderKindCode.string,
  value: new TextEncoder().encode(value),
});

function number(key: string, value: bigint | number): Option {
  const bytes = new Uint8Array(typeof value === "bigint" ? 8 : 4);
  const view = new DataView(bytes.buffer);
  if (typeof value === "bigint") view.setBigUint64(0, value, true);
  else view.setUint32(0, value, true);
  return { key, kind: typeof value === "bigint" ? HeaderKindCode.uint64 : HeaderKindCode.uint32, value: bytes };
}

const flag = (key: string, value: number): Option => ({ key, kind: HeaderKindCode.bool, value: Uint8Array.of(value) });

/** As a client reads them. */
function readable(options: readonly Option[]): [string, string | bigint | number | boolean][] {
  return options.map(({ key, kind, value }) => {
    const view = new DataView(value.buffer, value.byteOffset, value.byteLength);
    if (kind === HeaderKindCode.string) return [key, new TextDecoder().decode(value)];
    if (kind === HeaderKindCode.bool) return [key, value[0] === 1];
    return [key, kind === HeaderKindCode.uint32 ? view.getUint32(0, true) : view.getBigUint64(0, true)];
  });
}

const create = (options: readonly Option[], changes: object = {}) =>
  handle("createTopic", { stream, partitionsCount: 1, name: "eu", ...fillers, options, ...changes });
const update = (options: readonly Option[], name = "eu") => handle("updateTopic", { stream, topic, name, options });

/** Of the topic, from the other shard's copy. */
async function shown(): Promise<ShownOptions> {
  const other = makeContext(running.shards[1]);
  return (await handle("getTopic", { stream, topic }, other)).options;
}

const sent = [text("durability", "replicated"), text("consumer_offset_durability", "replicated")];

describe("create topic", () => {
  test("what was given is explicit, the rest is derived with the values in force, each sorted by key", async () => {
    const created = await create([...sent, text("compression_algorithm", "gzip"), number("message_expiry", dayMicros)]);
    expect(created).toMatchObject({ compression: "gzip", messageExpiryMicros: dayMicros, maxTopicSizeBytes: never });
    expect(readable(created.options.explicit)).toEqual([
      ["compression_algorithm", "gzip"],
      ["consumer_offset_durability", "replicated"],
      ["durability", "replicated"],
      ["message_expiry", dayMicros],
    ]);
    expect(readable(created.options.derived)).toEqual([
      ["max_topic_size", never],
      ["messages_required_to_save", 1024],
      ["preallocate_segments", false],
      ["segment_size", 1_048_576n],
      ["size_of_messages_required_to_save", 1_048_576n],
    ]);
    expect(await shown()).toEqual(created.options);
    const [header] = await handle("getTopics", { stream });
    expect(header!.options).toEqual(created.options);
    expect((await handle("getStream", { stream })).topics[0]!.options).toEqual(created.options);
  });

  test("one of 0.8 has nothing explicit, and its codec writes the same bytes as ever", async () => {
    const created = await handle("createTopic", { stream, partitionsCount: 1, name: "eu", ...fillers });
    expect(created.options.explicit).toEqual([]);
    expect(created.options.derived).toHaveLength(9);
    expect(encode(topicDetailsCodec, created).byteLength).toBe(51 + 2 + 40);
  });

  test("texts are read as in the configuration, and shown in the kind of the table", async () => {
    const created = await create([
      text("message_expiry", "7 days"),
      text("max_topic_size", "10 GiB"),
      text("segment_size", "1 MiB"),
      text("messages_required_to_save", "1024"),
      text("preallocate_segments", "false"),
    ]);
    expect(readable(created.options.explicit)).toEqual([
      ["max_topic_size", 10n * 1024n ** 3n],
      ["message_expiry", 7n * dayMicros],
      ["messages_required_to_save", 1024],
      ["preallocate_segments", false],
      ["segment_size", 1_048_576n],
    ]);
    expect(created).toMatchObject({ messageExpiryMicros: 7n * dayMicros, maxTopicSizeBytes: 10n * 1024n ** 3n });
  });

  test("0 asks for the default, and is then as if it was not given", async () => {
    const zeros = ["message_expiry", "max_topic_size", "segment_size", "size_of_messages_required_to_save"];
    const created = await create(zeros.map((key) => number(key, 0n)));
    expect(created).toMatchObject({ messageExpiryMicros: never, maxTopicSizeBytes: never });
    expect(created.options.explicit).toEqual([]);
  });

  test.each([
    ["an unknown key", [text("colour", "red")], 4041, {}],
    ["an unknown key beside a bad value", [text("durability", "no"), text("toString", "x")], 4041, {}],
    ["a number where a text is due", [number("durability", 1n)], 4042, {}],
    ["a number of another size", [number("message_expiry", 1)], 4042, {}],
    ["a text that is no duration", [text("message_expiry", "soon")], 4042, {}],
    ["a text that is no size", [text("max_topic_size", "big")], 4042, {}],
    ["a number that no 64 bits hold", [text("max_topic_size", "18446744073709551616")], 4042, {}],
    ["a number that no 32 bits hold", [text("messages_required_to_save", "4294967296")], 4042, {}],
    ["a text that is not UTF-8", [{ ...text("durability", ""), value: Uint8Array.of(0xff) }], 4042, {}],
    ["a cut number", [{ ...number("message_expiry", 1n), value: new Uint8Array(7) }], 4042, {}],
    ["another durability", [text("durability", "Replicated")], 4042, {}],
    ["another compression", [text("compression_algorithm", "zstd")], 4042, {}],
    ["a segment size that is no multiple of 512", [number("segment_size", 8_388_609n)], 4042, {}],
    ["segments that are too small", [number("segment_size", 1_048_064n)], 4042, {}],
    ["segments that are too large", [number("segment_size", 1_073_742_336n)], 4042, {}],
    ["no messages that make a write", [number("messages_required_to_save", 0)], 4042, {}],
    ["too many messages that make a write", [number("messages_required_to_save", 16_777_217)], 4042, {}],
    ["too many bytes that make a write", [number("size_of_messages_required_to_save", 2n ** 30n + 1n)], 4042, {}],
    [
      "a size below that of its own segment",
      [number("segment_size", 8_388_608n), number("max_topic_size", 4_194_304n)],
      1019,
      {},
    ],
    ["preallocation", [flag("preallocate_segments", 1)], 4042, {}],
    ["a size below that of a segment", [number("max_topic_size", 1000n)], 1019, {}],
    ["too many partitions, after the options", [text("colour", "red")], 4041, { partitionsCount: 1001 }],
    ["too many partitions", sent, 2015, { partitionsCount: 1001 }],
    ["a missing stream", sent, 1009, { stream: topic }],
    ["nothing wrong", sent, 0, {}],
  ] as const)("%s", async (_, options, code, changes) => {
    expect(await codeOf(create(options, changes))).toBe(code);
    expect(running.shards[0].state.topicsCount).toBe(code === 0 ? 1 : 0);
  });
});

describe("update topic", () => {
  beforeEach(async () => {
    await create([...sent, number("message_expiry", dayMicros), text("compression_algorithm", "gzip")]);
  });

  test("a key that is absent leaves the setting as it is", async () => {
    await update([number("max_topic_size", 5_000_000n)]);
    expect(await handle("getTopic", { stream, topic })).toMatchObject({
      compression: "gzip",
      messageExpiryMicros: dayMicros,
      maxTopicSizeBytes: 5_000_000n,
      replicationFactor: 1,
    });
    expect(readable((await shown()).explicit).map(([key]) => key)).toEqual([
      "compression_algorithm",
      "consumer_offset_durability",
      "durability",
      "max_topic_size",
      "message_expiry",
    ]);
  });

  test("0 gives the default back", async () => {
    await update([number("message_expiry", 0n)]);
    expect((await handle("getTopic", { stream, topic })).messageExpiryMicros).toBe(never);
    expect(readable((await shown()).derived)).toContainEqual(["message_expiry", never]);
  });

  test("what a client of 0.8 changes is in force, and no longer what was given", async () => {
    await handle("updateTopic", { stream, topic, name: "eu", ...fillers });
    const { explicit, derived } = await shown();
    expect(readable(explicit).map(([key]) => key)).toEqual(["consumer_offset_durability", "durability"]);
    expect(readable(derived)).toContainEqual(["compression_algorithm", "none"]);
    expect(readable(derived)).toContainEqual(["message_expiry", never]);
  });

  test.each([
    ["a key that cannot be changed", [text("segment_size", "1 MiB")], 4041, "eu"],
    ["durability", [text("durability", "persisted")], 4041, "eu"],
    ["a bad value", [text("message_expiry", "soon")], 4042, "eu"],
    ["a size below that of a segment", [number("max_topic_size", 1000n)], 1019, "eu"],
    ["a missing topic, after the options", [text("colour", "red")], 4041, "us"],
    ["no options", [], 0, "eu"],
  ] as const)("%s", async (_, options, code, name) => {
    expect(await codeOf(update(options, name))).toBe(code);
  });
});

test.each([
  ["createStream", { name: "other" }],
  ["updateStream", { stream, name: "other" }],
  ["createUser", { username: "alice", password: "secret9", statusCode: 1, permissions: undefined }],
  ["updateUser", { user: { kind: "numeric", value: 0 }, username: "root2", statusCode: undefined }],
] as const)("%s knows no option", async (name, request) => {
  expect(await codeOf(handle(name, { ...request, options: sent }))).toBe(4041);
  expect(await codeOf(handle(name, { ...request, options: [] }))).toBe(0);
});

describe("what may be given", () => {
  test("to a topic, with the values that this server really has", async () => {
    const described = describeOptions(context, "topic");
    const options = described.map(({ key, kind, defaultValue: value }) => ({ key, kind, value }));
    expect(readable(options)).toEqual([
      ["compression_algorithm", "none"],
      ["message_expiry", never],
      ["max_topic_size", never],
      ["segment_size", 1_048_576n],
      ["durability", "replicated"],
      ["consumer_offset_durability", "replicated"],
      ["messages_required_to_save", 1024],
      ["size_of_messages_required_to_save", 1_048_576n],
      ["preallocate_segments", false],
    ]);
    expect(described.every(({ description }) => description.length > 20)).toBe(true);
    // Each of them may be given.
    expect(await codeOf(create(options))).toBe(0);
    expect((await shown()).derived).toEqual([]);
  });

  test("to streams and users nothing", () => {
    expect([describeOptions(context, "stream"), describeOptions(context, "user")]).toEqual([[], []]);
  });
});
