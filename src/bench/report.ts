// Results of a run: from the actors' figures to the table and the JSON document.

import { cpus } from "node:os";
import type { ActorResult, ActorRole } from "./actor-messages.ts";
import type { Histogram } from "./histogram.ts";
import { latencyOf, mergedSeconds, type SecondData } from "./latency-series.ts";
import type { BenchOptions } from "./options.ts";
import { addCheckCounts, type CheckCounts, hasFaults, newCheckCounts } from "./poll-check.ts";
import { compareRanges } from "./ranges.ts";
import { urlOf } from "./target.ts";

export type LatencySummary = {
  readonly p50Ms: number;
  readonly p90Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  readonly p9999Ms: number;
  readonly maxMs: number;
  readonly meanMs: number;
  readonly minMs: number;
};

/** All producers, all consumers, or all that send and poll, of a run. */
export type GroupReport = {
  readonly role: ActorRole;
  readonly actors: number;
  /** From the first actor's start to the last one's end, without warm-up. */
  readonly seconds: number;
  readonly messages: number;
  readonly payloadBytes: number;
  readonly requests: number;
  readonly emptyPolls: number;
  readonly megabytesPerSecond: number;
  readonly messagesPerSecond: number;
  /** Of the histograms of all actors together. */
  readonly latency: LatencySummary;
  readonly checks: CheckCounts | undefined;
  /** Of a schedule: planned, and not sent. */
  readonly unsentRequests: number;
  /** Messages and latencies of each second, from the start of the measured part on. */
  readonly perSecond: readonly SecondData[];
};

/** Of the JSON document. It rises when something in it gets another meaning. */
export const reportVersion = 1;

export type BenchReport = {
  readonly version: typeof reportVersion;
  /** open: requests began by a schedule, and latencies count from there. */
  readonly loop: "open" | "closed";
  readonly options: Omit<BenchOptions, "password">;
  readonly machine: { readonly cpu: string; readonly cores: number; readonly bun: string };
  readonly groups: readonly GroupReport[];
  /** What failed the run; empty if all is well. */
  readonly problems: readonly string[];
};

function summaryOf(latency: Histogram): LatencySummary {
  const percentileMs = (percent: number) => latency.percentileMicros(percent) / 1000;
  return {
    p50Ms: percentileMs(50),
    p90Ms: percentileMs(90),
    p95Ms: percentileMs(95),
    p99Ms: percentileMs(99),
    p999Ms: percentileMs(99.9),
    p9999Ms: percentileMs(99.99),
    maxMs: latency.maxMicros / 1000,
    meanMs: latency.meanMicros / 1000,
    minMs: latency.minMicros / 1000,
  };
}

/** Adds up the actors of one role; undefined if there are none. */
export function groupReportOf(
  role: ActorRole,
  results: readonly ActorResult[],
  messageSizeBytes: number,
): GroupReport | undefined {
  const actors = results.filter((result) => result.role === role);
  if (actors.length === 0) return undefined;
  const checks = newCheckCounts();
  let messages = 0;
  let requests = 0;
  let emptyPolls = 0;
  let unsentRequests = 0;
  let startMicros = Number.POSITIVE_INFINITY;
  let endMicros = 0;
  for (const actor of actors) {
    messages += actor.messages;
    requests += actor.requests;
    emptyPolls += actor.emptyPolls;
    unsentRequests += actor.unsentRequests;
    startMicros = Math.min(startMicros, actor.startMicros);
    endMicros = Math.max(endMicros, actor.endMicros);
    if (actor.checks !== undefined) addCheckCounts(checks, actor.checks);
  }
  const { gaps, duplicates } = compareRanges(actors.flatMap(({ ranges }) => ranges));
  checks.gaps += gaps;
  checks.duplicates += duplicates;
  const seconds = Math.max(endMicros - startMicros, 1) / 1e6;
  const perSecond = mergedSeconds(actors.map((actor) => actor.perSecond));
  const payloadBytes = messages * messageSizeBytes;
  return {
    role,
    actors: actors.length,
    seconds,
    messages,
    payloadBytes,
    requests,
    emptyPolls,
    megabytesPerSecond: payloadBytes / 1e6 / seconds,
    messagesPerSecond: messages / seconds,
    latency: summaryOf(latencyOf(perSecond)),
    checks: role === "producer" ? undefined : checks,
    unsentRequests,
    perSecond,
  };
}

/** The whole report; faults that consumers found are added to `problems`. */
export function reportOf(
  options: BenchOptions,
  results: readonly ActorResult[],
  problems: readonly string[],
): BenchReport {
  const { password: _, ...shown } = options;
  const groups = (["producer", "consumer", "end-to-end"] as const)
    .map((role) => groupReportOf(role, results, options.messageSizeBytes))
    .filter((group) => group !== undefined);
  const found = groups.flatMap(({ checks }) => (checks !== undefined && hasFaults(checks) ? [faultsText(checks)] : []));
  const processors = cpus();
  return {
    version: reportVersion,
    loop: options.bytesPerSecond === undefined ? "closed" : "open",
    options: shown,
    machine: { cpu: processors[0]?.model ?? "unknown", cores: processors.length, bun: Bun.version },
    groups,
    problems: [...problems, ...found, ...groups.flatMap(unsentProblems)],
  };
}

function unsentProblems({ unsentRequests }: GroupReport): string[] {
  if (unsentRequests === 0) return [];
  return [
    `${unsentRequests} requests of the schedule were not sent in twice its time: the server does not keep up with the rate`,
  ];
}

function faultsText(checks: CheckCounts): string {
  const { gaps, duplicates, wrongLengths, damaged } = checks;
  return `consumers found ${gaps} missing, ${duplicates} duplicate, ${wrongLengths} wrongly sized and ${damaged} damaged messages`;
}

/** A number with thousands separators. */
export function grouped(value: number, fractionDigits = 0): string {
  return value.toLocaleString("en-US", {
    minimumFractionDigits: fractionDigits,
    maximumFractionDigits: fractionDigits,
  });
}

/** What has to be said with every figure of QUIC. */
export const relayNote =
  "QUIC: the client is a relay process (TCP to it, QUIC from it to the server), which is part of every figure";

function loopText({ options: { bytesPerSecond } }: BenchReport): string {
  return bytesPerSecond === undefined ? "closed loop" : `open loop at ${grouped(bytesPerSecond / 1e6, 2)} MB/s`;
}

/** The report as text for people. */
export function renderReport(report: BenchReport): string {
  const { options, machine } = report;
  const lines = [
    `${options.kind}: ${urlOf(options.transport, options)}, ${grouped(options.messagesPerBatch)} x ${grouped(options.messageSizeBytes)} B a request, ` +
      `${options.pipelineDepth} in flight, ${loopText(report)}, ${machine.cores} x ${machine.cpu}, Bun ${machine.bun}`,
    ...(options.transport === "quic" ? [relayNote] : []),
    "",
    ...renderTable(report.groups),
  ];
  for (const { checks } of report.groups) {
    if (checks === undefined) continue;
    lines.push("", `checked: ${grouped(checks.messages)} offsets and lengths, ${grouped(checks.sampled)} checksums`);
  }
  for (const problem of report.problems) lines.push("", `FAILED: ${problem}`);
  return lines.join("\n");
}

function shownLatencies({ p50Ms, p95Ms, p99Ms, p999Ms, p9999Ms, maxMs }: LatencySummary): number[] {
  return [p50Ms, p95Ms, p99Ms, p999Ms, p9999Ms, maxMs];
}

function renderTable(groups: readonly GroupReport[]): string[] {
  const rows = [
    [
      "",
      "actors",
      "seconds",
      "messages",
      "MB/s",
      "messages/s",
      "p50 ms",
      "p95 ms",
      "p99 ms",
      "p99.9 ms",
      "p99.99 ms",
      "max ms",
    ],
    ...groups.map((group) => [
      group.role === "end-to-end" ? group.role : `${group.role}s`,
      grouped(group.actors),
      grouped(group.seconds, 2),
      grouped(group.messages),
      grouped(group.megabytesPerSecond, 2),
      grouped(group.messagesPerSecond),
      ...shownLatencies(group.latency).map((latencyMs) => grouped(latencyMs, 3)),
    ]),
  ];
  return renderRows(rows);
}

/** Columns of equal width; the first is flush left, the others flush right. */
export function renderRows(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join("  "),
  );
}
