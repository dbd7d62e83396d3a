// The schedule of `-r`, and what a server that stalls looks like with it.

import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { Histogram } from "../../src/bench/histogram.ts";
import { LatencySeries, latencyOf, mergedSeconds } from "../../src/bench/latency-series.ts";
import type { BenchReport, GroupReport } from "../../src/bench/report.ts";
import { Schedule, scheduleOptionsOf } from "../../src/bench/schedule.ts";
import { startBroker } from "../../src/embedded/index.ts";

setDefaultTimeout(60_000);

const script = new URL("../../src/bench/main.ts", import.meta.url).pathname;

describe("a schedule", () => {
  test("has its requests at equal distances, however late they are asked for", async () => {
    const startMs = performance.now() - 1_000;
    const schedule = new Schedule({ intervalMs: 10, offsetMs: 5, count: 3, seconds: 100 }, startMs);
    const planned = [await schedule.next(), await schedule.next(), await schedule.next(), await schedule.next()];
    expect(planned).toEqual([startMs + 5, startMs + 15, startMs + 25, undefined]);
    expect(schedule.unsent).toBe(0);
  });

  test("lets nobody begin before the plan", async () => {
    const schedule = new Schedule({ intervalMs: 7, offsetMs: 0, count: 5, seconds: 100 });
    for (let request = 0; request < 5; request++) {
      const plannedMs = await schedule.next();
      expect(performance.now()).toBeGreaterThanOrEqual(plannedMs!);
    }
  });

  test("ends in twice its time, and knows what was not sent", async () => {
    const schedule = new Schedule(
      { intervalMs: 100, offsetMs: 0, count: 1_000, seconds: 1 },
      performance.now() - 2_001,
    );
    expect([await schedule.next(), schedule.unsent]).toEqual([undefined, 10]);
  });

  test("of several producers is that of one, in turn", () => {
    const job = { bytesPerSecond: 1_000_000, messagesPerBatch: 10, messageSizeBytes: 100, producersCount: 4 };
    const plans = [0, 1, 2, 3].map((index) => scheduleOptionsOf(job, index));
    expect(plans.map(({ offsetMs }) => offsetMs)).toEqual([0, 1, 2, 3]);
    expect(new Set(plans.map(({ intervalMs }) => intervalMs))).toEqual(new Set([4]));
  });
});

describe("a series", () => {
  test("has each latency in the second of its reply, without empty seconds", () => {
    const series = new LatencySeries(0);
    for (const nowMs of [0, 999, 3_000, 3_500]) series.record(nowMs + 1, 10, nowMs);
    const seconds = series.finish();
    expect(seconds.map(({ second, messages, latency }) => [second, messages, latency.count])).toEqual([
      [0, 20, 2],
      [3, 20, 2],
    ]);
    const merged = mergedSeconds([seconds, seconds, []]);
    expect(merged.map(({ second, messages }) => [second, messages])).toEqual([
      [0, 40],
      [3, 40],
    ]);
    expect([latencyOf(merged).count, latencyOf(merged).maxMicros]).toEqual([8, 3_501]);
  });
});

/** How many requests took longer. */
function countAbove({ perSecond }: GroupReport, micros: number): number {
  const whole = new Histogram();
  for (const { latency } of perSecond) whole.merge(latency);
  const { buckets } = whole.toData();
  const below = new Histogram();
  below.record(micros);
  const limit = below.toData().buckets[0]!;
  return buckets.reduce((sum, count, at) => (at % 2 === 1 && buckets[at - 1]! > limit ? sum + count : sum), 0);
}

/** A run of three seconds, 100 requests a second by its schedule, against a server that does not answer for one of them. */
async function runWithStall(args: readonly string[]): Promise<{ report: BenchReport; group: GroupReport }> {
  await using broker = await startBroker();
  const { host } = new URL(broker.url().replace("iggy:", "http:"));
  const root = await broker.client();
  const child = Bun.spawn(
    [
      process.execPath,
      script,
      "--server",
      host,
      "--json",
      "--messages-per-batch",
      "10",
      "--message-size",
      "100",
      ...args,
    ],
    { stdout: "pipe", stderr: "pipe" },
  );
  const output = Promise.all([child.stdout.text(), child.stderr.text()]);
  for (;;) {
    const sent = (await root.getStream("bench-stream-1"))?.messagesCount ?? 0n;
    if (sent >= 100n || child.exitCode !== null) break;
    await Bun.sleep(5);
  }
  await broker.network.pause();
  await Bun.sleep(1_000);
  broker.network.resume();
  const [stdout, stderr] = await output;
  expect([await child.exited, stderr]).toEqual([0, ""]);
  const report: BenchReport = JSON.parse(stdout);
  return { report, group: report.groups[0]! };
}

test("a server that stalls for a second is seen in every request that was planned for that second", async () => {
  const { report, group } = await runWithStall(["-r", "100KB", "--seconds", "3"]);
  expect(report).toMatchObject({ version: 1, loop: "open", problems: [] });
  // The whole plan, 100 requests a second, was sent, late or not.
  expect(group).toMatchObject({ requests: 300, messages: 3_000, unsentRequests: 0 });
  expect(group.latency.maxMs).toBeGreaterThan(950);
  expect(countAbove(group, 500_000)).toBeGreaterThanOrEqual(40);
  expect(group.perSecond.reduce((sum, { messages }) => sum + messages, 0)).toBe(3_000);
});
