// What is not as it should be, for who opens the console. Counts are those since the start.
import { isAllowed } from "../../metadata/index.ts";
import type { EventKey } from "../../observability/counters.ts";
import type { Finding, Health } from "../../protocol/console/health.ts";
import type { ServerContext } from "../context.ts";
import { requireLogin, userOf } from "../rights.ts";
import { segmentHolders } from "../segment-holders.ts";
import type { Session } from "../session.ts";

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

/** What the user may see of it: the broker's own findings need the right to read servers, those of a topic that to read it. */
export async function healthOf({ shard, systemStats }: ServerContext, session: Session): Promise<Health> {
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
