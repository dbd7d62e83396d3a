// What is not as it should be, for who opens the console. Counts are those since the start.
import { isAllowed } from "../../metadata/index.ts";
import type { EventKey } from "../../observability/counters.ts";
import type { Finding, Health } from "../../protocol/console/health.ts";
import type { ServerContext } from "../context.ts";
import { requireLogin, userOf } from "../rights.ts";
import { segmentHolders } from "../segment-holders.ts";
import type { Session } from "../session.ts";
import { daysUntilFull } from "./forecast.ts";

/** Events that are findings, worst first. */
const events = [
  ["fencedPartitions", "bad"],
  ["closedPartitions", "bad"],
  ["damagedMessages", "bad"],
  ["refusedWrites", "bad"],
  ["stalledLoops", "warn"],
  ["refusedConnections", "warn"],
  ["refusedLogins", "warn"],
] as const satisfies readonly (readonly [EventKey, Finding["level"]])[];

/** Of the disk, below which somebody should do something, and below which it is late. */
const diskWarnShare = 0.1;
const diskBadShare = 0.03;
/** Consumers that keep segments: the list of all is in the metrics. */
const holdersMax = 20;

/** Before it, somebody should make another one. */
const certificateDaysMin = 14;
/** Later than that much may happen. */
const forecastDaysMax = 30;
const secondsPerDay = 86_400;

/**
 * What the user may see of it: the broker's own findings need the right to read servers, those of a topic that to read it.
 * `certificateEnds`: of each transport that shows one, in seconds of Unix time.
 */
export async function healthOf(
  context: ServerContext,
  session: Session,
  certificateEnds: ReadonlyMap<string, number>,
): Promise<Health> {
  const { shard, systemStats } = context;
  requireLogin(session);
  const user = userOf(shard, session);
  const shards = await shard.allStatistics();
  const findings: Finding[] = [];
  if (isAllowed(user, "getStats")) {
    const { freeDiskSpaceBytes: free, totalDiskSpaceBytes: total } = systemStats();
    if (total > 0 && free < total * diskWarnShare) {
      const level = free < total * diskBadShare ? "bad" : "warn";
      findings.push({ code: "diskNearlyFull", level, values: { free: String(free), total: String(total) } });
    }
    findings.push(...coming(context, certificateEnds));
    const samples = shards.flatMap((statistics) => statistics.samples);
    for (const [code, level] of events) {
      const count = samples.reduce((sum, { key, value }) => (key === code ? sum + value : sum), 0);
      if (count > 0) findings.push({ code, level, values: { count: String(count) } });
    }
  }
  const held = segmentHolders(
    shard.state,
    shards.flatMap((statistics) => statistics.held),
  ).filter(({ stream, topic }) => isAllowed(user, "getTopic", stream.id, topic.id));
  for (const { stream, topic, partitionId, kind, consumerId, consumerName, groupName, segmentsCount } of held.slice(
    0,
    holdersMax,
  )) {
    findings.push({
      code: "heldSegments",
      level: "warn",
      subject: { stream: stream.name, topic: topic.name },
      values: {
        partition: String(partitionId),
        consumer: groupName ?? consumerName ?? String(consumerId),
        kind,
        segments: String(segmentsCount),
      },
    });
  }
  const isBad = findings.some(({ level }) => level === "bad");
  return { level: isBad ? "bad" : findings.length > 0 ? "warn" : "ok", findings };
}

/** What will be wrong if nobody does anything. */
function coming(
  { sampler: { history }, clock }: ServerContext,
  certificateEnds: ReadonlyMap<string, number>,
): Finding[] {
  const findings: Finding[] = [];
  const nowSeconds = clock.nowMicros() / 1_000_000;
  const days = history && daysUntilFull(history, nowSeconds * 1000);
  if (days !== undefined && days < forecastDaysMax) {
    findings.push({ code: "diskFills", level: "warn", values: { days: String(Math.floor(days)) } });
  }
  for (const [transport, endSeconds] of certificateEnds) {
    const left = Math.floor((endSeconds - nowSeconds) / secondsPerDay);
    if (left >= certificateDaysMin) continue;
    const level = left < 1 ? "bad" : "warn";
    findings.push({ code: "certificateEnds", level, values: { transport, days: String(Math.max(0, left)) } });
  }
  return findings;
}
