import { describe, expect, test } from "bun:test";
import { apply } from "../../src/metadata/apply.ts";
import {
  planCreatePartitions,
  planCreateStream,
  planCreateTopic,
  planDeletePartitions,
  planDeleteStream,
  planDeleteTopic,
  planPurgeStream,
  planPurgeTopic,
  planUpdateStream,
  planUpdateTopic,
} from "../../src/metadata/commands.ts";
import {
  createState,
  findStream,
  findTopic,
  type MetadataState,
  partitionsMax,
  topicsMax,
} from "../../src/metadata/state.ts";
import { reasonOf } from "../../src/protocol/error-table.ts";
import { IggyError } from "../../src/protocol/errors.ts";
import { u64Max } from "../../src/protocol/limits.ts";
import { codeOf, defaults, named, numeric } from "./support.ts";

const now = 1_750_000_000_000_000;
const orders = { stream: named("orders") };
const eu = { ...orders, topic: named("eu") };
const settings = {
  name: "eu",
  compression: 1,
  messageExpiryMicros: u64Max,
  maxTopicSizeBytes: u64Max,
  replicationFactor: 1,
} as const;

/** Stream "orders" (0) with topic "eu" (0) of 3 partitions, stream "12345" (1). */
function sampleState(): MetadataState {
  const state = createState();
  apply(state, planCreateStream(state, { name: "orders" }, now));
  apply(state, planCreateStream(state, { name: "12345" }, now));
  apply(state, planCreateTopic(state, { ...orders, ...settings, partitionsCount: 3 }, now, defaults));
  return state;
}

function messageOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    return error instanceof IggyError ? reasonOf(error) : String(error);
  }
  return "no error";
}

describe("streams", () => {
  test("a name that is taken is refused, case matters", () => {
    const state = sampleState();
    expect(codeOf(() => planCreateStream(state, { name: "orders" }, now))).toBe(1012);
    expect(planCreateStream(state, { name: "Orders" }, now)).toEqual({
      kind: "streamCreated",
      streamId: 2,
      name: "Orders",
      createdAtMicros: now,
    });
    expect(messageOf(() => planCreateStream(state, { name: "orders" }, now))).toBe(
      "Stream with name: orders already exists.",
    );
  });

  test("a name has 1 to 255 bytes", () => {
    const state = sampleState();
    expect(codeOf(() => planCreateStream(state, { name: "" }, now))).toBe(1013);
    expect(codeOf(() => planCreateStream(state, { name: "n".repeat(255) }, now))).toBe(0);
    expect(codeOf(() => planCreateStream(state, { name: "ü".repeat(128) }, now))).toBe(1013);
    expect(codeOf(() => planUpdateStream(state, { ...orders, name: "" }))).toBe(1013);
  });

  test("a string of digits is a name, not an id", () => {
    const state = sampleState();
    expect(findStream(state, named("12345"))?.id).toBe(1);
    expect(findStream(state, named("0"))).toBeUndefined();
    expect(findStream(state, numeric(12345))).toBeUndefined();
  });

  test("update keeps its own name, refuses another's, and finds the new name only", () => {
    const state = sampleState();
    apply(state, planUpdateStream(state, { ...orders, name: "orders" }));
    expect(findStream(state, named("orders"))?.id).toBe(0);
    expect(codeOf(() => planUpdateStream(state, { ...orders, name: "12345" }))).toBe(1012);
    apply(state, planUpdateStream(state, { ...orders, name: "renamed" }));
    expect(findStream(state, named("orders"))).toBeUndefined();
    expect(findStream(state, named("renamed"))?.id).toBe(0);
  });

  test("an unknown stream is 1009 in every command", () => {
    const state = sampleState();
    const unknown = { stream: numeric(99), topic: numeric(0) };
    expect(codeOf(() => planUpdateStream(state, { ...unknown, name: "x" }))).toBe(1009);
    expect(codeOf(() => planDeleteStream(state, unknown))).toBe(1009);
    expect(codeOf(() => planPurgeStream(state, unknown))).toBe(1009);
    expect(codeOf(() => planCreateTopic(state, { ...unknown, ...settings, partitionsCount: 1 }, now, defaults))).toBe(
      1009,
    );
    expect(codeOf(() => planUpdateTopic(state, { ...unknown, ...settings }, defaults))).toBe(1009);
    expect(codeOf(() => planDeleteTopic(state, unknown))).toBe(1009);
    expect(codeOf(() => planPurgeTopic(state, unknown))).toBe(1009);
    expect(codeOf(() => planCreatePartitions(state, { ...unknown, count: 1 }, now))).toBe(1009);
    expect(codeOf(() => planDeletePartitions(state, { ...unknown, count: 1 }))).toBe(1009);
    expect(messageOf(() => planDeleteStream(state, unknown))).toBe("Stream with ID: 99 was not found.");
  });

  test("the 4097th stream is refused, not mixed up with another", () => {
    const state = createState();
    for (let id = 0; id < 4096; id++) apply(state, planCreateStream(state, { name: `s${id}` }, now));
    expect(codeOf(() => planCreateStream(state, { name: "more" }, now))).toBe(1006);
    apply(state, planDeleteStream(state, { stream: named("s17") }));
    expect(planCreateStream(state, { name: "more" }, now).streamId).toBe(17);
  });
});

describe("topics", () => {
  test("create resolves server defaults and replication factor 0", () => {
    const state = sampleState();
    const request = {
      ...orders,
      ...settings,
      name: "defaults",
      partitionsCount: 0,
      messageExpiryMicros: 0n,
      maxTopicSizeBytes: 0n,
      replicationFactor: 0,
    };
    expect(planCreateTopic(state, request, now, defaults)).toEqual({
      kind: "topicCreated",
      streamId: 0,
      topicId: 1,
      name: "defaults",
      createdAtMicros: now,
      partitionsCount: 0,
      compression: 1,
      messageExpiryMicros: defaults.messageExpiryMicros,
      maxTopicSizeBytes: u64Max,
      replicationFactor: 1,
    });
  });

  test("create checks partitions, stream, name, size, name taken, in this order", () => {
    const state = sampleState();
    const wrong = { stream: numeric(99), ...settings, name: "", partitionsCount: 1001, maxTopicSizeBytes: 1000n };
    const plan = (change: Partial<typeof wrong> | typeof eu) =>
      codeOf(() => planCreateTopic(state, { ...wrong, ...change }, now, defaults));
    expect(plan({})).toBe(2015);
    expect(plan({ partitionsCount: 1000 })).toBe(1009);
    expect(plan({ partitionsCount: 1000, ...eu })).toBe(2014);
    const inStream = { partitionsCount: 1000, ...eu, name: "eu" };
    expect(plan(inStream)).toBe(1019);
    expect(plan({ ...inStream, maxTopicSizeBytes: 1_073_741_823n })).toBe(1019);
    expect(plan({ ...inStream, maxTopicSizeBytes: 1_073_741_824n })).toBe(2013);
    expect(plan({ ...inStream, maxTopicSizeBytes: 0n })).toBe(2013);
    expect(plan({ ...inStream, maxTopicSizeBytes: 0n, name: "us" })).toBe(0);
  });

  test("error texts are those of the original", () => {
    const state = sampleState();
    const request = { stream: numeric(0), ...settings, partitionsCount: 2 };
    expect(messageOf(() => planCreateTopic(state, { ...request, maxTopicSizeBytes: 1000n }, now, defaults))).toBe(
      "Max topic size cannot be lower than segment size. Max topic size: 1.00 KB < segment size: 1.07 GB.",
    );
    expect(messageOf(() => planCreateTopic(state, request, now, defaults))).toBe(
      "Topic with name: eu for stream with ID: 0 already exists.",
    );
    // Recorded: the two ids stand the wrong way round.
    const unknown = { stream: numeric(0), topic: numeric(99) };
    expect(messageOf(() => planCreatePartitions(state, { ...unknown, count: 2 }, now))).toBe(
      "Topic with ID: 0 for stream with ID: 99 was not found.",
    );
  });

  test("update resolves defaults, accepts a size below one segment, and refuses a name that is taken", () => {
    const state = sampleState();
    apply(state, planCreateTopic(state, { ...orders, ...settings, name: "us", partitionsCount: 1 }, now, defaults));
    expect(codeOf(() => planUpdateTopic(state, { ...eu, ...settings, name: "us" }, defaults))).toBe(2013);
    expect(codeOf(() => planUpdateTopic(state, { ...eu, ...settings, name: "" }, defaults))).toBe(2014);
    const request = { ...eu, ...settings, compression: 2, messageExpiryMicros: 0n, maxTopicSizeBytes: 10n } as const;
    apply(state, planUpdateTopic(state, request, defaults));
    const stream = findStream(state, orders.stream);
    expect(stream && findTopic(stream, named("eu"))).toMatchObject({
      id: 0,
      compression: 2,
      messageExpiryMicros: defaults.messageExpiryMicros,
      maxTopicSizeBytes: 10n,
      createdAtMicros: now,
    });
  });

  test("an unknown topic is 2010 in every command", () => {
    const state = sampleState();
    const unknown = { ...orders, topic: numeric(99) };
    expect(codeOf(() => planUpdateTopic(state, { ...unknown, ...settings }, defaults))).toBe(2010);
    expect(codeOf(() => planDeleteTopic(state, unknown))).toBe(2010);
    expect(codeOf(() => planPurgeTopic(state, unknown))).toBe(2010);
    expect(codeOf(() => planCreatePartitions(state, { ...unknown, count: 1 }, now))).toBe(2010);
    expect(codeOf(() => planDeletePartitions(state, { ...unknown, count: 1 }))).toBe(2010);
  });

  test("ids are reused within their own stream only", () => {
    const state = sampleState();
    apply(state, planDeleteTopic(state, eu));
    const request = { ...settings, partitionsCount: 1 };
    expect(planCreateTopic(state, { ...request, ...orders }, now, defaults).topicId).toBe(0);
    expect(planCreateTopic(state, { ...request, stream: numeric(1) }, now, defaults).topicId).toBe(0);
  });

  test("the 4097th topic of a stream is refused", () => {
    const state = sampleState();
    const request = { ...orders, ...settings, partitionsCount: 0 };
    for (let id = 1; id < 4096; id++) {
      apply(state, planCreateTopic(state, { ...request, name: `t${id}` }, now, defaults));
    }
    expect(codeOf(() => planCreateTopic(state, { ...request, name: "more" }, now, defaults))).toBe(2006);
    expect(codeOf(() => planCreateTopic(state, { ...request, name: "more", stream: numeric(1) }, now, defaults))).toBe(
      0,
    );
  });
});

describe("all topics together", () => {
  test("more partitions than can exist are refused when they are planned, by both commands that make them", () => {
    const state = sampleState();
    state.partitionsCount = partitionsMax - 10;
    const request = { ...orders, ...settings, name: "more" };
    const createTopic = (partitionsCount: number) => () =>
      planCreateTopic(state, { ...request, partitionsCount }, now, defaults);
    expect([codeOf(createTopic(10)), codeOf(createTopic(11))]).toEqual([0, 2015]);
    const createPartitions = (count: number) => () => planCreatePartitions(state, { ...eu, count }, now);
    expect([codeOf(createPartitions(10)), codeOf(createPartitions(11))]).toEqual([0, 2015]);
    // What was given back can be had again.
    apply(state, planDeletePartitions(state, { ...eu, count: 1 }));
    expect(codeOf(createPartitions(11))).toBe(0);
    state.topicsCount = topicsMax;
    expect(codeOf(createTopic(0))).toBe(2006);
  });
});

describe("partitions", () => {
  test("create takes 1 to 1000, delete 1 to what exists; a wrong count comes before an unknown stream", () => {
    const state = sampleState();
    const unknown = { stream: numeric(99), topic: numeric(99) };
    for (const count of [0, 1001]) {
      expect(codeOf(() => planCreatePartitions(state, { ...unknown, count }, now))).toBe(2015);
    }
    expect(codeOf(() => planDeletePartitions(state, { ...unknown, count: 0 }))).toBe(2015);
    expect(codeOf(() => planDeletePartitions(state, { ...eu, count: 4 }))).toBe(2019);
    expect(codeOf(() => planDeletePartitions(state, { ...eu, count: 3 }))).toBe(0);
    expect(codeOf(() => planCreatePartitions(state, { ...eu, count: 1000 }, now))).toBe(0);
  });

  test("new ids follow the highest and deletion takes the highest", () => {
    const state = sampleState();
    apply(state, planCreatePartitions(state, { ...eu, count: 2 }, now + 5));
    apply(state, planDeletePartitions(state, { ...eu, count: 1 }));
    const stream = findStream(state, orders.stream);
    const topic = stream && findTopic(stream, eu.topic);
    expect(topic?.partitions.map((partition) => partition.createdAtMicros)).toEqual([now, now, now, now + 5]);
  });

  test("a topic has at most a million partitions", () => {
    const state = sampleState();
    const event = { kind: "partitionsCreated", streamId: 0, topicId: 0, count: 999_996, createdAtMicros: now } as const;
    apply(state, event);
    expect(codeOf(() => planCreatePartitions(state, { ...eu, count: 1 }, now))).toBe(0);
    expect(codeOf(() => planCreatePartitions(state, { ...eu, count: 2 }, now))).toBe(2015);
  });
});
