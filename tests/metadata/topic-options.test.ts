// What is kept of the options of a topic, in the log, in snapshots and for those who read older ones.
import { expect, test } from "bun:test";
import { planCreateTopic, planUpdateTopic } from "../../src/metadata/commands.ts";
import { requireTopic } from "../../src/metadata/lookups.ts";
import { toPlainState } from "../../src/metadata/plain-state.ts";
import { areOffsetsPersisted, isPersisted, keptOptions, type TopicOptions } from "../../src/metadata/topic-options.ts";
import { openLog } from "./log-support.ts";
import { defaults, named, newDisk } from "./support.ts";

const given: TopicOptions = {
  durability: "persisted",
  message_expiry: 86_400_000_000n,
  messages_required_to_save: 1024,
};
const settings = {
  name: "eu",
  compression: 1,
  messageExpiryMicros: 86_400_000_000n,
  maxTopicSizeBytes: 0n,
  replicationFactor: 1,
} as const;
const place = { stream: named("orders"), topic: named("eu") };

function openWithStream(disk = newDisk()) {
  const opened = openLog(disk);
  opened.log.append({ kind: "streamCreated", streamId: 0, name: "orders", createdAtMicros: 1 });
  return { ...opened, disk };
}

const create = (options?: TopicOptions) => ({ ...settings, stream: place.stream, partitionsCount: 1, options });

test.each(["log", "snapshot"] as const)("a restart finds them in the %s", (where) => {
  const { log, state, disk } = openWithStream();
  log.append(planCreateTopic(state, create(given), 1, defaults));
  const change = { ...place, name: "eu", messageExpiryMicros: 0n, options: { message_expiry: 0n } };
  log.append(planUpdateTopic(state, change, defaults));
  if (where === "snapshot") log.snapshot();
  log.close();
  const { topic } = requireTopic(openLog(disk).state, place.stream, place.topic);
  expect(topic.options).toEqual({ durability: "persisted", messages_required_to_save: 1024 });
  expect(topic.messageExpiryMicros).toBe(defaults.messageExpiryMicros);
  expect([isPersisted(topic), areOffsetsPersisted(topic)]).toEqual([true, false]);
});

test("where none was given there is nothing new: neither in the event nor in the snapshot", () => {
  const { log, state } = openWithStream();
  const event = planCreateTopic(state, create(), 1, defaults);
  expect(event).not.toHaveProperty("options");
  expect(planCreateTopic(state, create({ max_topic_size: 0n }), 1, defaults)).not.toHaveProperty("options");
  log.append(event);
  expect(planUpdateTopic(state, { ...place, ...settings }, defaults)).not.toHaveProperty("options");
  expect(toPlainState(state).streams[0]!.topics[0]).not.toHaveProperty("options");
  expect(requireTopic(state, place.stream, place.topic).topic.options).toEqual({});
});

test("an event of an older version leaves the options of a topic as they are", () => {
  const { log, state } = openWithStream();
  log.append(planCreateTopic(state, create(given), 1, defaults));
  const { options: _, ...older } = planUpdateTopic(state, { ...place, ...settings, options: {} }, defaults);
  log.append(older);
  expect(requireTopic(state, place.stream, place.topic).topic.options).toEqual(given);
});

test("a change keeps what it does not name, in the order of the keys", () => {
  const kept = keptOptions(given, { max_topic_size: 5n, compression_algorithm: "gzip" });
  expect(Object.entries(kept)).toEqual([
    ["compression_algorithm", "gzip"],
    ["durability", "persisted"],
    ["max_topic_size", 5n],
    ["message_expiry", 86_400_000_000n],
    ["messages_required_to_save", 1024],
  ]);
});
