// The composition root of one shard: a Bun worker that makes the real disk, clock and random, opens its partitions, and
// serves. It does what the main thread says (shard/lifecycle.ts).
declare const self: Worker;

import { dumpToml } from "../config/dump.ts";
import { TokenKeyError } from "../config/token-keys.ts";
import { DataVersionError, MetadataKeyError, type MetadataLog, type MetadataState } from "../metadata/index.ts";
import { createLogger, type Logger } from "../observability/log.ts";
import { LogFile } from "../observability/log-file.ts";
import { logDirectory } from "../observability/log-names.ts";
import { createLogOutput } from "../observability/log-output.ts";
import { makeSnapshot } from "../observability/snapshot.ts";
import { countOpenFiles, formatSysinfo } from "../observability/sysinfo.ts";
import { createSystemStatsReader } from "../observability/system-stats.ts";
import { monotonicClock, systemClock } from "../platform/clock.ts";
import { realDisk } from "../platform/real-disk.ts";
import type { ClusterMetadata } from "../protocol/records/cluster-metadata.ts";
import { allTotals, isServerFault, Logins, Refusals, type ServerContext, Sessions } from "../server/index.ts";
import {
  type BoundPorts,
  Cleaner,
  ControlPlane,
  Counters,
  dataPaths,
  type FromShard,
  LocalPartitions,
  LoopPulse,
  Shard,
  type ShardStart,
  Statistics,
  type TlsCertificates,
  type ToShard,
  tidyStreams,
} from "../shard/index.ts";
import { TakeoverError } from "../takeover/takeover-error.ts";
import { makeClusterMetadata } from "./cluster.ts";
import { readDescriptorLimit, shareDescriptors } from "./descriptors.ts";
import { repeat, startMaintenance } from "./maintenance.ts";
import { openMetadata } from "./shard-metadata.ts";
import { createShardStorage, makeSeed } from "./shard-storage.ts";
import { ShardTransports } from "./shard-transports.ts";
import { makeWaits } from "./waits.ts";

const quiescePollMs = 10;

function post(message: FromShard): void {
  self.postMessage(message);
}

class ShardProcess {
  readonly #start: ShardStart;
  readonly #log: Logger;
  readonly #shard: Shard;
  readonly #transports: ShardTransports;
  readonly #metadataLog: MetadataLog | undefined;
  readonly #sessions: Sessions;
  readonly #cleaner: Cleaner;
  readonly #stopMaintenance: () => void;
  #bound: BoundPorts = { tcp: 0, websocket: 0, quic: 0, http: 0 };
  #sysinfo: Timer | undefined;
  #isShuttingDown = false;

  private constructor(
    start: ShardStart,
    root: Logger,
    statistics: Statistics,
    metadataLog: MetadataLog | undefined,
    state: MetadataState,
  ) {
    const { config, shardId, shardCount } = start;
    const { partition, segment, topic } = config.system;
    this.#start = start;
    const log = root.child(`shard-${shardId}`);
    this.#log = log;
    this.#metadataLog = metadataLog;
    const paths = dataPaths(config.system);
    const counters = new Counters(start.counters);
    const pulse = new LoopPulse(start.loops, shardId);
    const descriptors = shareDescriptors(readDescriptorLimit(), shardCount);
    const storage = createShardStorage(config, descriptors.filesPerShard, statistics, pulse, log.child("storage"));
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
            disk: realDisk,
            clock: systemClock,
            elapsed: monotonicClock,
            paths,
            topicDefaults,
            tokensPerUserMax: config.personalAccessToken.maxTokensPerUser,
            limits: config.limits,
            messages: log,
            count: (key, by) => statistics.add(key, by),
            broadcast,
          })),
      syncMetadata: metadataLog && (() => metadataLog.sync()),
      localClients: () => this.#sessions.clients(),
      closeWithoutLogin: (source) => this.#sessions.closeOldestWithoutLogin(source),
      onEvent: (event) => {
        this.#sessions.follow(event);
        waits.follow(event);
      },
      onAdopt: (connection) => this.#transports.adopt(connection),
      onFailure: (error) => {
        if (isServerFault(error)) log.error("work for another shard or for the metadata failed", { error });
      },
    });
    this.#sessions = new Sessions({
      shard: this.#shard,
      clock: monotonicClock,
      onFailure: (error) => log.error("a client that is gone could not leave its groups", { error }),
    });
    const waits = makeWaits(this.#shard, config.limits);
    const context: ServerContext = {
      shard: this.#shard,
      sessions: this.#sessions,
      waits,
      logins: new Logins(start.loginPort),
      clock: systemClock,
      topicDefaults,
      auditLog: root.child("audit"),
      refusals: new Refusals(),
      hidesNames: config.system.encryption.enabled,
      deduplicates: config.system.messageDeduplication.enabled,
      startTimeMicros: start.startTimeMicros,
      systemStats: createSystemStatsReader(config.system.path),
      clusterMetadata: () => this.#clusterMetadata(),
      snapshot: (options) =>
        makeSnapshot({
          ...options,
          logsDirectory: logDirectory(config.system.path, config.system.logging.path),
          currentConfigMasked: dumpToml(config, { maskSecrets: true }),
          log,
        }),
      isShuttingDown: () => this.#isShuttingDown,
    };
    this.#transports = new ShardTransports({
      start,
      context,
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
      log: log.child("maintenance"),
    });
  }

  static async open(start: ShardStart): Promise<ShardProcess> {
    const output = createLogOutput(start.logFile && new LogFile(start.logFile));
    const root = createLogger({ filter: start.logFilter, ...output });
    const statistics = new Statistics();
    if (start.shardId !== 0) {
      const process = new ShardProcess(start, root, statistics, undefined, start.state!);
      post({ kind: "opened", state: undefined, hasSetRootPassword: false });
      return process;
    }
    const log = root.child(`shard-${start.shardId}`);
    const { metadataLog, hasSetRootPassword } = await openMetadata(start, statistics, log, root.child("audit"));
    void tidyStreams({
      metadataLog,
      disk: realDisk,
      paths: dataPaths(start.config.system),
      messages: log,
      count: (key, by) => statistics.add(key, by),
    });
    const state = metadataLog.publishedState;
    const process = new ShardProcess(start, root, statistics, metadataLog, state);
    post({ kind: "opened", state, hasSetRootPassword });
    return process;
  }

  /** The line of resources (spec SB 8.4), on shard 0. */
  startSysinfo(): void {
    const { config } = this.#start;
    const intervalMicros = config.system.logging.sysinfoPrintIntervalMicros;
    if (this.#start.shardId !== 0 || intervalMicros === 0) return;
    const read = createSystemStatsReader(config.system.path);
    const sysinfoLog = this.#log.child("sysinfo");
    // What it reads from the system needs descriptors, of which there may be none.
    this.#sysinfo = repeat(intervalMicros, "the line of resources", sysinfoLog, () => {
      const { messagesCount, sizeBytes } = allTotals(this.#shard);
      const clientsCount = this.#shard.counters.clients.total;
      const counts = { clientsCount, openFilesCount: countOpenFiles(), messagesCount, messagesSizeBytes: sizeBytes };
      sysinfoLog.info(formatSysinfo(read(), counts));
    });
  }

  async listen(asked: BoundPorts): Promise<void> {
    post({ kind: "listening", ports: await this.#transports.listen(asked) });
  }

  changeCertificates(tls: TlsCertificates): void {
    this.#transports.changeCertificates(tls);
  }

  bound(ports: BoundPorts): void {
    this.#shard.pulse.start();
    this.#bound = ports;
  }

  async quiesce(): Promise<void> {
    this.#isShuttingDown = true;
    this.#stopMaintenance();
    clearInterval(this.#sysinfo);
    this.#transports.stop();
    while (this.#transports.isBusy) await Bun.sleep(quiescePollMs);
    post({ kind: "quiesced" });
  }

  async close(): Promise<void> {
    this.#shard.pulse.stop();
    await this.#transports.terminate();
    await this.#cleaner.stop();
    await this.#shard.close();
    this.#metadataLog?.close();
    post({ kind: "closed" });
  }

  #clusterMetadata(): ClusterMetadata {
    return makeClusterMetadata(this.#start.config, this.#bound, this.#start.follower);
  }
}

/** Why the shard cannot go on; what the operator can mend is said without a stack. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const expected = [TakeoverError, MetadataKeyError, DataVersionError, TokenKeyError];
  const isExpected = expected.some((kind) => error instanceof kind);
  return isExpected ? error.message : (error.stack ?? error.message);
}

// Who reads it may have gone; what is written there is not worth the process.
process.stderr.on("error", () => {});

let shardProcess: ShardProcess | undefined;

async function handle(message: ToShard): Promise<void> {
  if (message.kind === "start") {
    shardProcess = await ShardProcess.open(message.start);
    return;
  }
  if (shardProcess === undefined) throw new Error(`${message.kind} came before start`);
  switch (message.kind) {
    case "listen":
      await shardProcess.listen(message.ports);
      return;
    case "bound":
      shardProcess.bound(message.ports);
      shardProcess.startSysinfo();
      return;
    case "certificate":
      shardProcess.changeCertificates(message.tls);
      return;
    case "quiesce":
      await shardProcess.quiesce();
      return;
    case "close":
      await shardProcess.close();
      return;
  }
}

self.onmessage = (event: MessageEvent<ToShard>) => {
  handle(event.data).catch((error: unknown) => {
    post({ kind: "failed", reason: reasonOf(error) });
  });
};
