// Ping, clients, stats and cluster metadata (spec BP 4.2, SB 8).
import { IggyError } from "../../protocol/errors.ts";
import { snapshotOptionsOf } from "../../protocol/system/get-snapshot.ts";
import { actorOf } from "../audit.ts";
import { command } from "../command.ts";
import { requireLoginHolds, requireRight } from "../rights.ts";
import { requireRecord } from "../session.ts";
import { allTotals } from "../views.ts";

/** What clients are told: the version of the original whose protocol is spoken (spec SB 3.10). */
const compatibleVersion = { text: "0.8.0", semver: 8000 };

export const systemCommands = [
  command(
    "ping",
    ({ sessions }, session) => {
      sessions.pinged(session);
      return undefined;
    },
    { needsLogin: false },
  ),

  command("getMe", ({ sessions }, session) => {
    requireRecord(session);
    return sessions.detailsOf(session);
  }),

  command("getClient", async ({ shard }, session, { clientId }) => {
    requireRight(shard, session, "getClient");
    if (clientId === 0) throw new IggyError("InvalidClientId");
    return (await shard.clients()).find((client) => client.clientId === clientId);
  }),

  command("getClients", ({ shard }, session) => {
    requireRight(shard, session, "getClients");
    return shard.clients();
  }),

  command("getClusterMetadata", ({ clusterMetadata }, session) => {
    requireLoginHolds(session);
    const metadata = clusterMetadata();
    // Told of more nodes, clients of 0.9 ask where to poll and to commit, which only a real cluster can say (spec P9 4.8, 13).
    return session.protocol === "0.9" ? { ...metadata, nodes: metadata.nodes.slice(0, 1) } : metadata;
  }),

  command("getSnapshot", async (context, session, request) => {
    const { shard, snapshot } = context;
    const options = snapshotOptionsOf(request);
    // Unlike the original, which gives it to everyone who is logged in: it tells much about the machine (spec SB 13, trap 50).
    requireRight(shard, session, "getSnapshot");
    // It takes a few times the memory of the log, and programs of the system: never more than one at a time.
    if (!shard.counters.beginSnapshot()) {
      context.auditLog.warn("refused a snapshot: another one is being made", actorOf(context, session));
      throw new IggyError("SnapshotFileCompletionFailed");
    }
    try {
      return await snapshot(options);
    } finally {
      shard.counters.endSnapshot();
    }
  }),

  command("getStats", ({ shard, clock, startTimeMicros, systemStats }, session) => {
    requireRight(shard, session, "getStats");
    const { topicsCount, partitionsCount, consumerGroupsCount, ...totals } = allTotals(shard);
    const system = systemStats();
    return {
      processId: system.processId,
      cpuUsagePercent: system.cpuUsagePercent,
      totalCpuUsagePercent: system.totalCpuUsagePercent,
      memoryUsageBytes: BigInt(system.memoryUsageBytes),
      totalMemoryBytes: BigInt(system.totalMemoryBytes),
      availableMemoryBytes: BigInt(system.availableMemoryBytes),
      runTimeMicros: BigInt(clock.nowMicros() - startTimeMicros),
      startTimeMicros: BigInt(startTimeMicros),
      readBytes: BigInt(system.readBytes),
      writtenBytes: BigInt(system.writtenBytes),
      messagesSizeBytes: BigInt(totals.sizeBytes),
      streamsCount: shard.state.streams.byId.size,
      topicsCount,
      partitionsCount,
      segmentsCount: totals.segmentsCount,
      messagesCount: BigInt(totals.messagesCount),
      clientsCount: shard.counters.clients.total,
      consumerGroupsCount,
      hostname: system.hostname,
      osName: system.osName,
      osVersion: system.osVersion,
      kernelVersion: system.kernelVersion,
      serverVersion: compatibleVersion.text,
      serverSemver: compatibleVersion.semver,
      cacheMetrics: [],
      threadsCount: system.threadsCount,
      freeDiskSpaceBytes: BigInt(system.freeDiskSpaceBytes),
      totalDiskSpaceBytes: BigInt(system.totalDiskSpaceBytes),
    };
  }),
];
