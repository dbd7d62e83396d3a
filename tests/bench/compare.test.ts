// The comparison of two reports: what counts as a difference, what as none, and what cannot be compared.

import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ActorResult } from "../../src/bench/actor-messages.ts";
import { ComparisonError, compareReports } from "../../src/bench/compare.ts";
import { LatencySeries } from "../../src/bench/latency-series.ts";
import { parseOptions } from "../../src/bench/options.ts";
import { type BenchReport, reportOf } from "../../src/bench/report.ts";

setDefaultTimeout(60_000);

const script = new URL("../../src/bench/main.ts", import.meta.url).pathname;

/** Numbers from 0 up to 1 from a seed. */
function numbersFrom(seed: number): () => number {
  let state = seed * 2_654_435_761 + 1;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

interface Shape {
  readonly seconds?: number;
  readonly requestsPerSecond?: number;
  /** Times of the usual latencies. */
  readonly slower?: number;
}

/** A run with latencies of 1 to 2 ms, three of a hundred ten times as long, whose seconds differ by a tenth. */
function runOf(seed: number, { seconds = 10, requestsPerSecond = 500, slower = 1 }: Shape = {}): BenchReport {
  const options = parseOptions(["--messages-per-batch", "10", "--message-size", "100"]);
  if (options === "help") throw new Error("these options ask for no help");
  const random = numbersFrom(seed);
  const series = new LatencySeries(0);
  let requests = 0;
  for (let second = 0; second < seconds; second++) {
    const count = Math.round(requestsPerSecond * (0.95 + random() / 10));
    requests += count;
    for (let request = 0; request < count; request++) {
      const usualMicros = (1_000 + 1_000 * random()) * (random() < 0.03 ? 10 : 1);
      series.record(usualMicros * slower, 10, second * 1000 + (999 * request) / count);
    }
  }
  const result: ActorResult = {
    role: "producer",
    index: 0,
    startMicros: 0,
    endMicros: seconds * 1e6,
    messages: requests * 10,
    requests,
    emptyPolls: 0,
    messagesInAll: requests * 10,
    unsentRequests: 0,
    perSecond: series.finish(),
    checks: undefined,
    ranges: [],
  };
  return reportOf(options, [result], []);
}

describe("a comparison", () => {
  test("of a run with itself finds nothing", () => {
    for (const { ratio, low, high, verdict } of compareReports(runOf(1), runOf(1), 0.05)) {
      expect([ratio, verdict]).toEqual([1, "as before"]);
      expect(low).toBeLessThanOrEqual(1);
      expect(high).toBeGreaterThanOrEqual(1);
    }
  });

  test("of two equal runs finds nothing slower than 5 % in 19 of 20", () => {
    const pairs = Array.from({ length: 20 }, (_, pair) => compareReports(runOf(2 * pair), runOf(2 * pair + 1), 0.05));
    const alarms = pairs.filter((metrics) => metrics.some(({ verdict }) => verdict === "SLOWER than the limit"));
    expect(alarms.length).toBeLessThanOrEqual(1);
  });

  test("finds what has become slower or faster, beyond the limit and within", () => {
    const verdicts = (after: BenchReport, limit: number) =>
      compareReports(runOf(1), after, limit).map(({ metric, verdict }) => `${metric}: ${verdict}`);
    expect(verdicts(runOf(2, { slower: 1.3, requestsPerSecond: 400 }), 0.05)).toEqual([
      "MB/s: SLOWER than the limit",
      "p50 ms: SLOWER than the limit",
      "p99 ms: SLOWER than the limit",
      "p99.9 ms: SLOWER than the limit",
    ]);
    expect(verdicts(runOf(2, { slower: 1.3, requestsPerSecond: 400 }), 0.5)).toContain(
      "MB/s: slower, within the limit",
    );
    expect(verdicts(runOf(2, { slower: 0.5, requestsPerSecond: 900 }), 0.05).slice(0, 2)).toEqual([
      "MB/s: faster",
      "p50 ms: faster",
    ]);
  });

  test("counts a second without a reply", () => {
    const report = runOf(1);
    const [group] = report.groups;
    const stalled = {
      ...report,
      groups: [{ ...group!, perSecond: group!.perSecond.filter(({ second }) => second < 5) }],
    };
    expect(compareReports(report, stalled, 0.05)[0]).toMatchObject({
      metric: "MB/s",
      verdict: "SLOWER than the limit",
    });
  });

  test("needs three whole seconds, and the same role", () => {
    expect(() => compareReports(runOf(1), runOf(2, { seconds: 2 }), 0.05)).toThrow(ComparisonError);
    const other = runOf(1);
    const consumers = { ...other, groups: other.groups.map((group) => ({ ...group, role: "consumer" as const })) };
    expect(() => compareReports(runOf(1), consumers, 0.05)).toThrow("no role in common");
  });
});

describe("the program", () => {
  const directory = mkdtempSync(join(tmpdir(), "whippet-compare-"));
  const write = (name: string, report: object) => {
    writeFileSync(join(directory, name), JSON.stringify(report));
    return join(directory, name);
  };
  const run = (...args: string[]) => {
    const { exitCode, stdout, stderr } = Bun.spawnSync([process.execPath, script, "--compare", ...args]);
    return { exitCode, stdout: String(stdout), stderr: String(stderr) };
  };
  const before = write("before.json", runOf(1));
  const slow = write("slow.json", runOf(2, { slower: 2, requestsPerSecond: 250 }));

  test("ends with 6 where something is slower than the limit, with 0 otherwise", () => {
    expect(run(before, before)).toMatchObject({
      exitCode: 0,
      stderr: "",
      stdout: expect.stringContaining("as before"),
    });
    const slower = run(before, slow, "--limit", "5%");
    expect([slower.exitCode, slower.stderr]).toEqual([6, ""]);
    expect(slower.stdout).toMatch(/producer MB\/s +0\.\d\d +0\.\d\d +0\.5\d +0\.\d\d … 0\.\d\d +SLOWER than the limit/);
    expect(JSON.parse(run(before, slow, "--json", "--limit=200 %").stdout)).toHaveLength(4);
  });

  test("says what it cannot read", () => {
    const old = write("old.json", { groups: [] });
    for (const [args, sentence] of [
      [[before], "--compare takes two reports"],
      [[before, old], "is no report of version 1"],
      [[before, join(directory, "missing.json")], "cannot be read as a report"],
      [[before, slow, "--limit", "much"], "--limit takes a percentage"],
    ] as const) {
      expect(run(...args)).toMatchObject({ exitCode: 2, stdout: "", stderr: expect.stringContaining(sentence) });
    }
  });
});
