// What of the comparisons with other brokers and clients is pure: command lines, reading what the tools print, what several rounds say,
// the tables. The texts are what the tools of the versions that are installed printed.
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { betterHalf, lesserHalf } from "../../scripts/peers/better-half.ts";
import { pipelined } from "../../scripts/peers/clients/driver.ts";
import { summaryOf, tableOf } from "../../scripts/peers/original-table.ts";
import { batchesFor, type OriginalRow, originalRows } from "../../scripts/peers/rows.ts";
import { figure, renderMarkdown, renderText } from "../../scripts/peers/table.ts";
import {
  type IggyBenchResult,
  iggyBenchArguments,
  parseIggyBench,
  resultOf,
} from "../../scripts/peers/tools/iggy-bench.ts";
import { parseConsumerPerf, parseProducerPerf } from "../../scripts/peers/tools/kafka-perf.ts";
import { parseNatsBench } from "../../scripts/peers/tools/nats-bench.ts";
import { parseRedisBenchmark } from "../../scripts/peers/tools/redis-benchmark.ts";

const rowNamed = (name: string): OriginalRow => {
  const row = originalRows.find((candidate) => candidate.name === name);
  if (row === undefined) throw new Error(`there is no row ${name}`);
  return row;
};
const result = (megabytesPerSecond: number, p99Ms: number): IggyBenchResult => ({
  ...{ megabytesPerSecond, p99Ms, p50Ms: p99Ms / 2 },
  messagesPerSecond: megabytesPerSecond * 1_000,
});

describe("iggy-bench", () => {
  const run = {
    transport: "tcp",
    port: 7,
    actors: 4,
    messagesPerBatch: 10,
    messageSizeBytes: 20,
    batches: 30,
  } as const;

  test("producers make their streams and warm up, consumers read what is there and do not", () => {
    expect(iggyBenchArguments({ ...run, kind: "pinned-producer", warmupMs: 500 }).join(" ")).toBe(
      "--message-size 20 --messages-per-batch 10 --message-batches 30 --warmup-time 500ms pinned-producer --producers 4 tcp --server-address 127.0.0.1:7",
    );
    const read = { ...run, kind: "pinned-consumer", transport: "websocket", warmupMs: 500 } as const;
    expect(iggyBenchArguments(read).join(" ")).toBe(
      "--message-size 20 --messages-per-batch 10 --message-batches 30 --reuse-streams pinned-consumer --consumers 4 web-socket --server-address 127.0.0.1:7",
    );
    expect(iggyBenchArguments({ ...run, kind: "pinned-producer", warmupMs: 0, reuseStreams: true })).toContain(
      "--reuse-streams",
    );
  });

  const line =
    "Results: Total throughput: 1743.65 MB/s, 1743651 messages/s, average throughput per Producer: 435.91 MB/s, p50 latency: 2.13 ms, p90 latency: 3.02 ms, p95 latency: 3.50 ms, p99 latency: 5.07 ms, p999 latency: 9.00 ms, p9999 latency: 9.10 ms, average latency: 2.20 ms, median latency: 2.12 ms, min: 0.35 ms, max: 9.11 ms, std dev: 0.50 ms, total time: 2.29 s";

  test("figures of the group, coloured or not", () => {
    const expected = { p50Ms: 2.13, p99Ms: 5.07, totalSeconds: 2.29 };
    expect(parseIggyBench(`Producer #1 → finished\n\u001b[32mProducers ${line}\u001b[0m\n`)).toEqual(expected);
    expect(parseIggyBench(`Consumers ${line}`)).toEqual(expected);
  });

  test("rates are all messages by all of the time, whatever the mean of the slices says", () => {
    const sent = { ...run, kind: "pinned-producer", warmupMs: 0 } as const;
    const { messagesPerSecond, megabytesPerSecond } = resultOf(sent, { p50Ms: 1, p99Ms: 1, totalSeconds: 0.595 });
    expect(messagesPerSecond).toBeCloseTo((4 * 30 * 10) / 0.6, 6);
    expect(megabytesPerSecond).toBeCloseTo(0.04, 9);
  });

  test("a run without results, or with a figure less, throws with what was printed", () => {
    expect(() => parseIggyBench("Error: Connection refused")).toThrow(/no results:\nError: Connection refused/);
    expect(() => parseIggyBench(`Producers ${line.replace("p99 latency: 5.07 ms, ", "")}`)).toThrow(/p99 latency/);
  });
});

describe("nats bench", () => {
  test("rate and p99 of synchronous sends", () => {
    const text =
      "NATS JetStream synchronous publisher stats: 10,269 msgs/sec ~ 9.8 MiB/sec ~ min: 36.98us ~ avg: 97.15us ~ max: 2,883.94us ~ P50: 89.27us ~ P90: 140.08us ~ P99: 1,187.22us ~ P99.9: 2,177.79us\n";
    expect(parseNatsBench(text)).toEqual({ messagesPerSecond: 10_269, p99Ms: 1.18722 });
  });

  test("reads have no latency; of several clients the sum counts", () => {
    const reads = "NATS JetStream ordered ephemeral consumer stats: 195,322 msgs/sec ~ 24 MiB/sec\n";
    expect(parseNatsBench(reads)).toEqual({ messagesPerSecond: 195_322, p99Ms: undefined });
    expect(parseNatsBench(`${reads}\n aggregated stats: 300,000 msgs/sec ~ 1 MiB/sec`).messagesPerSecond).toBe(300_000);
    expect(() => parseNatsBench("nats: error: no servers available")).toThrow(/no servers available/);
  });
});

describe("Kafka's tools", () => {
  const whole =
    "50000 records sent, 3955.070400 records/sec (3.77 MB/sec), 5348.46 ms avg latency, 8534.00 ms max latency, 5484 ms 50th, 8181 ms 95th, 8444 ms 99th, 8530 ms 99.9th.";

  test("the producer's summary, that without the warm-up where there is one, never a line of progress", () => {
    const progress =
      "29201 records sent, 5839.0 records/sec (5.57 MB/sec), 6577.0 ms avg latency, 8534.0 ms max latency.";
    const steady =
      "30000 steady state records sent, 2861.230329 records/sec (2.73 MB/sec), 6546.11 ms avg latency, 8534.00 ms max latency, 6280 ms 50th, 8270 ms 95th, 8486 ms 99th, 8531 ms 99.9th.";
    expect(parseProducerPerf(`${progress}\n${whole}\n`)).toEqual({ messagesPerSecond: 3955.0704, p99Ms: 8444 });
    expect(parseProducerPerf(`${progress}\n${whole}\n${steady}\n`)).toEqual({
      messagesPerSecond: 2861.230329,
      p99Ms: 8486,
    });
    expect(() => parseProducerPerf(progress)).toThrow(/no summary/);
  });

  test("the consumer's table, without the time of joining the group", () => {
    const text =
      "start.time, end.time, data.consumed.in.MB, MB.sec, data.consumed.in.nMsg, nMsg.sec, rebalance.time.ms, fetch.time.ms, fetch.MB.sec, fetch.nMsg.sec\n2026-11-29 23:51:34:703, 2026-11-29 23:51:39:454, 47.6837, 10.0366, 50000, 10524.1002, 3415, 1336, 35.6914, 37425.1497\n\nSLF4J: …\n";
    expect(parseConsumerPerf(text)).toEqual({ messagesPerSecond: 37_425.1497, p99Ms: undefined });
    expect(() => parseConsumerPerf("Timeout")).toThrow(/no figures:\nTimeout/);
  });
});

test("redis-benchmark: the columns by their names", () => {
  const head =
    '"test","rps","avg_latency_ms","min_latency_ms","p50_latency_ms","p95_latency_ms","p99_latency_ms","max_latency_ms"';
  expect(
    parseRedisBenchmark(`${head}\n"XREAD COUNT 1000","245.10","3.211","0.360","1.967","8.359","10.919","10.920"\n`),
  ).toEqual({ requestsPerSecond: 245.1, p99Ms: 10.919 });
  expect(() => parseRedisBenchmark(`${head}\n"DEL stream","inf","0.052"\n`)).toThrow(/"rps"/);
});

describe("what several rounds say", () => {
  test("the mean of the better half, the middle one of an odd count in it", () => {
    expect(betterHalf([1, 10, 2, 20])).toBe(15);
    expect(betterHalf([3, 1, 2])).toBe(2.5);
    expect(lesserHalf([4, 1, 3, 2])).toBe(1.5);
    expect(betterHalf([])).toBeNaN();
  });

  test("lies between median and best, and does not depend on the order", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 1_000_000 }), { minLength: 1, maxLength: 12 }), (rates) => {
        const half = betterHalf(rates);
        expect(half).toBeLessThanOrEqual(Math.max(...rates));
        expect(half).toBeGreaterThanOrEqual(rates.reduce((sum, rate) => sum + rate, 0) / rates.length - 1e-6);
        expect(betterHalf(rates.toReversed())).toBeCloseTo(half, 6);
      }),
      { numRuns: 100 },
    );
  });

  test("ratio of the better halves, ratios of the rounds, and which wishes are met", () => {
    const row = rowNamed("producer-1");
    const whippet = [result(100, 4), result(230, 2), result(230, 2), result(10, 9)];
    const original = [result(200, 2), result(50, 9), result(200, 2), result(20, 8)];
    const summary = summaryOf({ row, whippet, original });
    expect(summary).toMatchObject({ whippet: 230, original: 200, ratio: 1.15, ratios: [0.5, 4.6, 1.15, 0.5] });
    expect(summary).toMatchObject({ unit: "MB/s", isRatioReached: true, whippetP99Ms: 2, isP99Reached: true });
    const single = summaryOf({ row: rowNamed("one"), whippet, original });
    expect(single).toMatchObject({ unit: "messages/s", whippet: 230_000, isRatioReached: false });
    const cells = tableOf([summary, single], []).rows.map((cells) => [cells[3], cells[4], cells[5], cells[9]]);
    expect(cells).toEqual([
      ["1.15", "≥ 1.15", "yes", "yes"],
      ["1.15", "≥ 2", "NO", "yes"],
    ]);
    expect(tableOf([summary, single], []).notes.at(-1)).toBe("Held: 1 of 2 ratios, 2 of 2 p99.");
  });
});

describe("the rows", () => {
  test("have names of their own, and stand in the order in which servers are up and streams filled", () => {
    expect(new Set(originalRows.map(({ name }) => name)).size).toBe(originalRows.length);
    expect(originalRows.map(({ durability }) => durability).join()).toMatch(/^(write,?)+(sync,?)+$/);
    expect(originalRows.filter(({ does }) => does === "read").map(({ actors }) => actors)).toEqual([1, 1, 1, 1, 4]);
  });

  test("take about the time that is wanted, and never more than 3 GB", () => {
    expect(batchesFor(rowNamed("one-8"), [8_000, 24_000], 2)).toBe(4_000);
    expect(batchesFor(rowNamed("producer-4"), [1e7, 1e7], 2)).toBe(750);
    expect(batchesFor(rowNamed("sync-producer"), [10, 10], 2)).toBe(10);
  });
});

describe("work of a client that is started without waiting", () => {
  test("never goes beyond what may be under way, and all of it is waited for", async () => {
    let [open, most, ended, calls] = [0, 0, 0, 0];
    const started = await pipelined(
      4,
      () => calls++ < 25,
      async () => {
        most = Math.max(most, ++open);
        await new Promise((resolve) => setTimeout(resolve, 0));
        open--;
        ended++;
      },
    );
    expect({ started, ended, most }).toEqual({ started: 25, ended: 25, most: 4 });
  });

  test("ends with the first error, when nothing is under way any more", async () => {
    let open = 0;
    const work = async () => {
      const number = ++open;
      await new Promise((resolve) => setTimeout(resolve, 0));
      open--;
      if (number === 2) throw new Error("refused");
    };
    await expect(pipelined(3, () => true, work)).rejects.toThrow("refused");
    expect(open).toBe(0);
  });
});

test("figures have three digits that count, tables all cells in both forms", () => {
  expect([1234.5, 98.76, 9.876, 0.98765, Number.NaN].map(figure)).toEqual(["1,235", "98.8", "9.88", "0.988", "–"]);
  const table = { title: "Title", notes: ["note"], head: ["", "a"], rows: [["x | y", "1"]] };
  expect(renderMarkdown(table)).toBe("## Title\n\n|  | a |\n|---|---|\n| x \\| y | 1 |\n\n- note\n");
  expect(renderText(table)).toBe("Title\n\n       a\nx | y  1\n\n- note");
});
