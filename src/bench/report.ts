// Results of a run: from the actors' figures to the table and the JSON document.

import { cpus } from "node:os";
import type { ActorResult, ActorRole } from "./actor-messages.ts";
import { Histogram } from "./histogram.ts";
import type { BenchOptions } from "./options.ts";
import { addCheckCounts, type CheckCounts, hasFaults, newCheckCounts } from "./poll-check.ts";
import { compareRanges } from "./ranges.ts";
import { urlOf } from "./target.ts";

export type LatencySummary = {
  readonly p50Ms: number;
  readonly p90Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
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
  readonly latency: LatencySummary;
  readonly checks: CheckCounts | undefined;
};

export type BenchReport = {
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
    p99Ms: percentileMs(99),
    p999Ms: percentileMs(99.9),
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
  const latency = new Histogram();
  const checks = newCheckCounts();
  let messages = 0;
  let requests = 0;
  let emptyPolls = 0;
  let startMicros = Number.POSITIVE_INFINITY;
  let endMicros = 0;
  for (const actor of actors) {
    latency.merge(actor.latency);
    messages += actor.messages;
    requests += actor.requests;
    emptyPolls += actor.emptyPolls;
    startMicros = Math.min(startMicros, actor.startMicros);
    endMicros = Math.max(endMicros, actor.endMicros);
    if (actor.checks !== undefined) addCheckCounts(checks, actor.checks);
  }
  const { gaps, duplicates } = compareRanges(actors.flatMap(({ ranges }) => ranges));
  checks.gaps += gaps;
  checks.duplicates += duplicates;
  const seconds = Math.max(endMicros - startMicros, 1) / 1e6;
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
    latency: summaryOf(latency),
    checks: role === "producer" ? undefined : checks,
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
    options: shown,
    machine: { cpu: processors[0]?.model ?? "unknown", cores: processors.length, bun: Bun.version },
    groups,
    problems: [...problems, ...found],
  };
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

/** The report as text for people. */
export function renderReport(report: BenchReport): string {
  const { options, machine } = report;
  const lines = [
    `${options.kind}: ${urlOf(options.transport, options)}, ${grouped(options.messagesPerBatch)} x ${grouped(options.messageSizeBytes)} B a request, ` +
      `${options.pipelineDepth} in flight, ${machine.cores} x ${machine.cpu}, Bun ${machine.bun}`,
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

function renderTable(groups: readonly GroupReport[]): string[] {
  const rows = [
    ["", "actors", "seconds", "messages", "MB/s", "messages/s", "p50 ms", "p90 ms", "p99 ms", "p99.9 ms", "max ms"],
    ...groups.map((group) => [
      group.role === "end-to-end" ? group.role : `${group.role}s`,
      grouped(group.actors),
      grouped(group.seconds, 2),
      grouped(group.messages),
      grouped(group.megabytesPerSecond, 2),
      grouped(group.messagesPerSecond),
      ...[group.latency.p50Ms, group.latency.p90Ms, group.latency.p99Ms, group.latency.p999Ms, group.latency.maxMs].map(
        (latencyMs) => grouped(latencyMs, 3),
      ),
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
