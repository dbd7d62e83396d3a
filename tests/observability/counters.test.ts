import { expect, test } from "bun:test";
import { eventKeys, metricKeys, ownMetrics } from "../../src/observability/counters.ts";
import { Statistics } from "../../src/shard/index.ts";

const noMailbox = { sentCount: 0, waitedCount: 0, depth: 0 };

test("names begin with whippet_, are given once, and end with _total where a counter's do", () => {
  const names = metricKeys.map((key) => ownMetrics[key].name);
  expect(new Set(names).size).toBe(names.length);
  for (const key of metricKeys) {
    const { name, help, type } = ownMetrics[key];
    expect(name).toMatch(/^whippet_[a-z_]+$/);
    expect(name.endsWith("_total")).toBe(type === "counter");
    expect(help).toMatch(/\.$/);
  }
});

test("a name of an event is its key in other letters", () => {
  for (const key of eventKeys) {
    const words = key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    expect(String(ownMetrics[key].name)).toBe(`whippet_${words}_total`);
  }
});

test("what a shard counts by key stands in its statistics, from 0 on", () => {
  const statistics = new Statistics();
  statistics.add("damagedMessages");
  statistics.add("damagedMessages", 4);
  const { samples } = statistics.snapshot(3, noMailbox);
  for (const key of eventKeys) {
    const value = key === "damagedMessages" ? 5 : 0;
    expect(samples.filter((sample) => sample.key === key)).toEqual([{ key, labels: { shard: "3" }, value }]);
  }
});
