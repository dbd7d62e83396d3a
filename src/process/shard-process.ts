// One shard, put together: metadata, partitions, sessions, transports and what is done from time to time, over whatever disk,
// clock and timers its host has. A worker of the server and a broker inside a test are made of the same.
import type { MetadataLog, MetadataState } from "../metadata/index.ts";
import type { Logger } from "../observability/log.ts";
import { logDirectory } from "../observability/log-names.ts";
import { LogReader } from "../observability/log-reader.ts";
import { countOpenFiles, formatSysinfo } from "../observability/sysinfo.ts";
import { createSystemStatsReader } from "../observability/system-stats.ts";
import type { ClusterMetadata } from "../protocol/records/cluster-metadata.ts";
import {
  allTotals,
  isServerFault,
  Logins,
  Refusals,
  type ServerContext,
  Sessions,
  SubscriptionDesk,
} from "../server/index.ts";
import {
  BackupPoints,
  type BoundPorts,
  Cleaner,
  ControlPlane,
  Counters,
  dataPaths,
  LocalPartitions,
  LoopPulse,
  Shard,
  type ShardSetup,
  Statistics,
  type TlsCertificates,
  tidyStreams,
} from "../shard/index.ts";
import { makeClusterMetadata } from "./cluster.ts";
import { repeat, startMaintenance } from "./maintenance.ts";
import { SelfObservation } from "./self-observation.ts";
import type { ShardHost } from "./shard-host.ts";
import { openMetadata } from "./shard-metadata.ts";
import { createShardStorage, makeSeed } from "./shard-storage.ts";
import { ShardTransports } from "./shard-transports.ts";
import { makeWaits } from "./waits.ts";

const quiescePollMs = 10;

export interface OpenedShard {
  readonly shard: ShardProcess;
  /** From shard 0, for the others. */
  readonly state: MetadataState | undefined;
  readonly hasSetRootPassword: boolean;
}

export class ShardProcess {
  readonly #start: ShardSetup;
  readonly #host: ShardHost;
  readonly #log: Logger;
  readonly #shard: Shard;
  readonly #transports: ShardTransports;
  readonly #metadataLog: MetadataLog | undefined;
  readonly #sessions: Sessions;
  readonly #cleaner: Cleaner;
  readonly #observation: SelfObservation;
  readonly #stopMaintenance: () => void;
  #bound: BoundPorts = { tcp: 0, websocket: 0, quic: 0, http: 0 };
  #stopSysinfo: () => void = () => undefined;
  #hasStarted = false;
  #isShuttingDown = false;

  private constructor(
    start: ShardSetup,
    host: ShardHost,
    root: Logger,
    statistics: Statistics,
    metadataLog: MetadataLog | undefined,
    state: MetadataState,
  ) {
    const { config, shardId, shardCount } = start;
    const { partition, segment, topic } = config.system;
    const { disk, clock, elapsed, timers, descriptors } = host;
    this.#start = start;
    this.#host = host;
    const log = root.child(`shard-${shardId}`);
    this.#log = log;
    this.#metadataLog = metadataLog;
    const paths = dataPaths(config.system);
    const counters = new Counters(start.counters);
    const pulse = new LoopPulse(start.loops, shardId);
    const storage = createShardStorage(config, host, statistics, pulse, log.child("storage"));
    const partitions = new LocalPartitions({ shardId, shardCount, storage, counters, paths });
    partitions.open(state);
    const topicDefaults = {
      messageExpiryMicros: topic.messageExpiry,
      maxTopicSizeBytes: topic.maxSize,
      segmentSizeBytes: segment.sizeBytes,
      messagesRequiredToSave: partition.messagesRequiredToSave,
      bytesRequiredToSave: partition.sizeOfMessagesRequiredToSaveBytes,
    };
    this.#shard = new Shard({
      shardId,
      shardCount,
      state,
      partitions,
      counters,
      storage,
      statistics,
      pulse,
      memories: start.memories,
      makeSeed,
      ports: start.ports,
      controlPlane:
        metadataLog &&
        ((broadcast) =>
          new ControlPlane({
            log: metadataLog,
            disk,
            clock,
            elapsed,
            paths,
            topicDefaults,
            tokensPerUserMax: config.personalAccessToken.maxTokensPerUser,
            limits: config.limits,
            messages: log,
            count: (key, by) => statistics.add(key, by),
            broadcast,
          })),
      syncMetadata: metadataLog && (() => metadataLog.sync()),
      backupPoints: metadataLog && new BackupPoints({ disk, paths, metadataLog, elapsed, messages: log }),
      localClients: () => this.#sessions.clients(),
      disconnectClient: (clientId) => this.#sessions.disconnect(clientId),
      closeWithoutLogin: (source) => this.#sessions.closeOldestWithoutLogin(source),
      onEvent: (event) => {
        this.#sessions.follow(event);
        waits.follow(event);
        subscriptions.follow(event);
      },
      onAdopt: (connection) => this.#transports.adopt(connection),
      onFailure: (error) => {
        if (isServerFault(error)) log.error("work for another shard or for the metadata failed", { error });
      },
    });
    this.#sessions = new Sessions({
      shard: this.#shard,
      clock: elapsed,
      onFailure: (error) => log.error("a client that is gone could not leave its groups", { error }),
    });
    const waits = makeWaits(this.#shard, config.limits, host);
    const subscriptions = new SubscriptionDesk({
      shard: this.#shard,
      limits: { ofAll: config.limits.subscriptions, ofUser: config.limits.subscriptionsPerUser },
      onFailure: ({ clientId }, error) => log.error("a subscription has ended", { client: clientId, error }),
    });
    this.#observation = new SelfObservation(start, host, this.#shard, log.child("console"));
    const context: ServerContext = {
      shard: this.#shard,
      sessions: this.#sessions,
      waits,
      subscriptions,
      logins: new Logins(host.loginPort, timers),
      clock,
      topicDefaults,
      cleanerIntervalMicros: config.dataMaintenance.messages.cleanerEnabled
        ? config.dataMaintenance.messages.intervalMicros
        : undefined,
      auditLog: root.child("audit"),
      refusals: new Refusals(),
      hidesNames: config.system.encryption.enabled,
      spans: host.spans,
      deduplicates: config.system.messageDeduplication.enabled,
      startTimeMicros: start.startTimeMicros,
      systemStats: createSystemStatsReader(config.system.path),
      settings: async () => {
        const { settingsOf } = await import("../config/settings.ts");
        return settingsOf(config, start.settingOrigins);
      },
      logReader: start.logFile && new LogReader(start.logFile),
      sampler: this.#observation.sampler,
      clusterMetadata: () => this.#clusterMetadata(),
      snapshot: async (options) => {
        // Most processes never make one: what makes it is loaded by the first who asks.
        const { makeSnapshot } = await import("../observability/snapshot.ts");
        const { dumpToml } = await import("../config/dump.ts");
        return makeSnapshot({
          ...options,
          logsDirectory: logDirectory(config.system.path, config.system.logging.path),
          currentConfigMasked: dumpToml(config, { maskSecrets: true }),
          log,
        });
      },
      hasStarted: () => this.#hasStarted,
      isShuttingDown: () => this.#isShuttingDown,
    };
    this.#transports = new ShardTransports({
      start,
      context,
      disk,
      descriptors,
      httpPort: () => this.#bound.http,
      log,
    });
    this.#cleaner = new Cleaner({
      shardId,
      shardCount,
      state,
      counters,
      partitions,
      oldestSegment: (request) => this.#shard.oldestSegment(request),
      log: log.child("cleaner"),
    });
    this.#stopMaintenance = startMaintenance({
      config,
      shard: this.#shard,
      sessions: this.#sessions,
      cleaner: this.#cleaner,
      timers,
      log: log.child("maintenance"),
    });
  }

  /**
   * Opens the metadata (on shard 0; the others are given it) and the partitions. Rejects with MetadataKeyError,
   * DataVersionError, TakeoverError, TokenKeyError. `hasSetRootPassword`: the root user is new, or has a new password.
   *
   * `onMetadata` hears of both on shard 0 as soon as other shards may begin: before the partitions, which take longest.
   */
  static async open(
    start: ShardSetup,
    host: ShardHost,
    root: Logger,
    onMetadata?: (state: MetadataState, hasSetRootPassword: boolean) => void,
  ): Promise<OpenedShard> {
    const statistics = new Statistics();
    if (start.shardId !== 0) {
      const shard = new ShardProcess(start, host, root, statistics, undefined, start.state!);
      return { shard, state: undefined, hasSetRootPassword: false };
    }
    const log = root.child(`shard-${start.shardId}`);
    const { metadataLog, hasSetRootPassword } = await openMetadata(start, host, statistics, log, root.child("audit"));
    void tidyStreams({
      metadataLog,
      disk: host.disk,
      paths: dataPaths(start.config.system),
      messages: log,
      count: (key, by) => statistics.add(key, by),
    });
    const state = metadataLog.publishedState;
    onMetadata?.(state, hasSetRootPassword);
    return { shard: new ShardProcess(start, host, root, statistics, metadataLog, state), state, hasSetRootPassword };
  }

  /** The line of resources (spec SB 8.4), on shard 0. */
  startSysinfo(): void {
    const { config } = this.#start;
    const intervalMicros = config.system.logging.sysinfoPrintIntervalMicros;
    const sysinfoLog = this.#log.child("sysinfo");
    if (this.#start.shardId !== 0 || intervalMicros === 0 || !sysinfoLog.isEnabled("debug")) return;
    const read = createSystemStatsReader(config.system.path);
    // What it reads from the system needs descriptors, of which there may be none.
    this.#stopSysinfo = repeat(this.#host.timers, intervalMicros, "the line of resources", sysinfoLog, () => {
      const { messagesCount, sizeBytes } = allTotals(this.#shard);
      const clientsCount = this.#shard.counters.clients.total;
      const counts = { clientsCount, openFilesCount: countOpenFiles(), messagesCount, messagesSizeBytes: sizeBytes };
      sysinfoLog.debug(formatSysinfo(read(), counts));
    });
  }

  /** Starts to accept at the asked ports, 0: any; resolves with those that are bound. Rejects if one cannot be. */
  listen(asked: BoundPorts): Promise<BoundPorts> {
    return this.#transports.listen(asked);
  }

  changeCertificates(tls: TlsCertificates): void {
    this.#transports.changeCertificates(tls);
  }

  /** Every shard listens, and clients reach the process at these ports. */
  bound(ports: BoundPorts): void {
    this.#bound = ports;
    this.#hasStarted = true;
    this.#observation.start();
  }

  /** From now on the main thread sees whether this shard turns its event loop. */
  startPulse(): void {
    this.#shard.pulse.start();
  }

  /** Stops accepting, tells the clients, and resolves when what was under way is finished and they are gone. */
  async quiesce(): Promise<void> {
    this.#stopAccepting();
    while (this.#transports.isBusy) await Bun.sleep(quiescePollMs);
  }

  #stopAccepting(): void {
    this.#isShuttingDown = true;
    this.#stopMaintenance();
    this.#stopSysinfo();
    this.#observation.rest();
    this.#transports.stop();
  }

  /** Flushes, syncs and closes everything. */
  async close(): Promise<void> {
    this.#shard.pulse.stop();
    await this.#transports.terminate();
    await this.#cleaner.stop();
    await this.#observation.stop();
    await this.#shard.close();
    this.#metadataLog?.close();
  }

  /** Cuts every connection and does no more: nothing is flushed, as after kill -9. For who has taken the disk away before. */
  async abandon(): Promise<void> {
    this.#stopAccepting();
    this.#observation.abandon();
    this.#shard.pulse.stop();
    await this.#transports.terminate();
    await this.#cleaner.stop();
  }

  #clusterMetadata(): ClusterMetadata {
    return makeClusterMetadata(this.#start.config, this.#bound, this.#start.follower);
  }
}
