// The composition root of one shard: a Bun worker that makes the real disk, clock and random, opens its partitions, and
// serves. It does what the main thread says (shard/lifecycle.ts).
declare const self: Worker;

import { makeClusterMetadata } from "./cluster.ts";
import { dumpToml } from "./config/dump.ts";
import { MetadataLog, type MetadataState } from "./metadata/index.ts";
import { createLogger, type Logger } from "./observability/log.ts";
import { LogFile } from "./observability/log-file.ts";
import { logDirectory } from "./observability/log-names.ts";
import { createLogOutput } from "./observability/log-output.ts";
import { makeSnapshot } from "./observability/snapshot.ts";
import { countOpenFiles, formatSysinfo } from "./observability/sysinfo.ts";
import { createSystemStatsReader } from "./observability/system-stats.ts";
import { systemClock } from "./platform/clock.ts";
import { systemRandom } from "./platform/random.ts";
import { realDisk } from "./platform/real-disk.ts";
import type { ClusterMetadata } from "./protocol/records/cluster-metadata.ts";
import { allPermissions } from "./root-user.ts";
import { createCipher } from "./security/encryption.ts";
import { hashPassword } from "./security/password.ts";
import { isServerFault, type ServerContext, streamTotals } from "./server/index.ts";
import {
  arenaBytesMax,
  type BoundPorts,
  ControlPlane,
  Counters,
  dataPaths,
  FrameMemory,
  type FromShard,
  LocalPartitions,
  Shard,
  type ShardStart,
  type ToShard,
} from "./shard/index.ts";
import { createStorageContext, kernelReservedBytes, WasmBatchKernel } from "./storage/index.ts";
import { TcpListener } from "./transport/tcp/listener.ts";

const scanBytes = 4 * 1024 * 1024;
const scanSeedBytes = 32;
const openFilesTotalMax = 3072;
const quiescePollMs = 10;

function post(message: FromShard): void {
  self.postMessage(message);
}

function makeSeed(): Uint8Array {
  const seed = new Uint8Array(scanSeedBytes);
  systemRandom.fill(seed);
  return seed;
}

/** Runs what was handed over in this turn of the event loop at its end, all together. */
function createTurnEnd(): (work: () => void) => void {
  let works: (() => void)[] = [];
  const run = () => {
    const now = works;
    works = [];
    for (const work of now) work(); // none of them throws: each settles its own promises
  };
  return (work) => {
    if (works.push(work) === 1) setImmediate(run);
  };
}

/** Storage needs memory of its own to check bytes from the disk; nobody else sees it. */
function makeScanMemory() {
  const pages = Math.ceil((scanBytes + kernelReservedBytes) / 65_536);
  const memory = new WebAssembly.Memory({ shared: true, initial: pages, maximum: pages });
  return {
    kernel: WasmBatchKernel.create(memory, makeSeed()),
    memory: new Uint8Array(memory.buffer),
    position: kernelReservedBytes,
    sizeBytes: scanBytes,
  };
}

class ShardProcess {
  readonly #start: ShardStart;
  readonly #log: Logger;
  readonly #shard: Shard;
  readonly #listener: TcpListener;
  readonly #metadataLog: MetadataLog | undefined;
  readonly #saver: Timer | undefined;
  #bound: BoundPorts = { tcp: 0 };
  #sysinfo: Timer | undefined;
  #isShuttingDown = false;

  private constructor(start: ShardStart, log: Logger, metadataLog: MetadataLog | undefined, state: MetadataState) {
    const { config, shardId, shardCount } = start;
    const { partition, segment, topic } = config.system;
    this.#start = start;
    this.#log = log;
    this.#metadataLog = metadataLog;
    const paths = dataPaths(config.system);
    const counters = new Counters(start.counters);
    const storage = createStorageContext({
      disk: realDisk,
      clock: systemClock,
      options: {
        acknowledge: partition.acknowledge,
        segmentSizeBytes: segment.sizeBytes,
        cacheIndexes: segment.cacheIndexes,
        messagesRequiredToSave: partition.messagesRequiredToSave,
        bytesRequiredToSave: partition.sizeOfMessagesRequiredToSaveBytes,
        enforceFsync: config.messageSaver.enforceFsync,
        validateChecksum: partition.validateChecksum,
        deduplication: config.system.messageDeduplication.enabled
          ? {
              maxEntries: config.system.messageDeduplication.maxEntries,
              expiryMicros: config.system.messageDeduplication.expiryMicros,
            }
          : undefined,
        openFilesMax: Math.max(64, Math.floor(openFilesTotalMax / shardCount)),
      },
      ...(config.system.encryption.enabled
        ? { encryption: { cipher: createCipher(config.system.encryption.key), makeSeed } }
        : {}),
      scan: makeScanMemory(),
      log: log.child("storage"),
      schedule: createTurnEnd(),
    });
    const partitions = new LocalPartitions({ shardId, shardCount, storage, counters, paths });
    partitions.open(state);
    const topicDefaults = {
      messageExpiryMicros: topic.messageExpiry,
      maxTopicSizeBytes: topic.maxSize,
      segmentSizeBytes: segment.sizeBytes,
    };
    this.#shard = new Shard({
      shardId,
      shardCount,
      state,
      partitions,
      counters,
      storage,
      memories: start.memories,
      makeSeed,
      ports: start.ports,
      controlPlane:
        metadataLog &&
        ((broadcast) =>
          new ControlPlane({ log: metadataLog, disk: realDisk, clock: systemClock, paths, topicDefaults, broadcast })),
      localClients: () => this.#listener.clients(),
      onAdopt: (connection) => this.#listener.adopt(connection),
      onFailure: (error) => {
        if (isServerFault(error)) log.error("a request of another shard failed", { error });
      },
    });
    const context: ServerContext = {
      shard: this.#shard,
      clock: systemClock,
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
    this.#listener = new TcpListener({
      context,
      frameMemory: new FrameMemory({
        memory: start.memories[shardId]!,
        reservedBytes: kernelReservedBytes,
        arenaBytesMax: Math.min(arenaBytesMax, Math.floor(config.system.memoryPool.sizeBytes / shardCount)),
        largeBytesMax: Math.max(config.tcp.maxRequestSizeBytes, config.system.memoryPool.sizeBytes / shardCount),
      }),
      frames: config.tcp.frames,
      requestBytesMax: config.tcp.maxRequestSizeBytes,
      canMove: config.tcp.socketMigration && shardCount > 1,
      log: log.child("tcp"),
    });
    if (config.messageSaver.enabled) {
      this.#saver = setInterval(() => this.#save(), config.messageSaver.intervalMicros / 1000);
    }
  }

  static async open(start: ShardStart): Promise<ShardProcess> {
    const output = createLogOutput(start.logFile && new LogFile(start.logFile));
    const log = createLogger({ filter: start.logFilter, ...output }).child(`shard-${start.shardId}`);
    if (start.shardId === 0 && start.config.system.encryption.enabled) {
      log.warn("messages are encrypted; the metadata log is not yet");
    }
    if (start.shardId !== 0) {
      const process = new ShardProcess(start, log, undefined, start.state!);
      post({ kind: "opened", state: undefined, hasCreatedRoot: false });
      return process;
    }
    const {
      log: metadataLog,
      state,
      repairs,
    } = MetadataLog.open({
      disk: realDisk,
      directory: dataPaths(start.config.system).stateDirectory,
      enforceFsync: start.config.system.state.enforceFsync,
      onSnapshotFailure: (error) => log.error("no snapshot of the metadata could be taken", { error }),
    });
    for (const repair of repairs) log.warn("the metadata log was repaired", { ...repair });
    const hasCreatedRoot = await createRootUser(metadataLog, start, log);
    const process = new ShardProcess(start, log, metadataLog, state);
    post({ kind: "opened", state, hasCreatedRoot });
    return process;
  }

  /** The line of resources (spec SB 8.4), on shard 0. */
  startSysinfo(): void {
    const { config } = this.#start;
    const intervalMs = config.system.logging.sysinfoPrintIntervalMicros / 1000;
    if (this.#start.shardId !== 0 || intervalMs === 0) return;
    const read = createSystemStatsReader(config.system.path);
    const sysinfoLog = this.#log.child("sysinfo");
    this.#sysinfo = setInterval(() => {
      const { state, counters } = this.#shard;
      const totals = { messagesCount: 0, messagesSizeBytes: 0 };
      for (const stream of state.streams.byId.values()) {
        const { messagesCount, sizeBytes } = streamTotals(counters, stream);
        totals.messagesCount += messagesCount;
        totals.messagesSizeBytes += sizeBytes;
      }
      const clientsCount = counters.clientsCount();
      sysinfoLog.info(formatSysinfo(read(), { clientsCount, openFilesCount: countOpenFiles(), ...totals }));
    }, intervalMs);
  }

  listen(host: string, port: number): void {
    if (this.#start.config.tcp.enabled) post({ kind: "listening", port: this.#listener.listen({ host, port }) });
    else post({ kind: "listening", port });
  }

  bound(ports: BoundPorts): void {
    this.#bound = ports;
  }

  async quiesce(): Promise<void> {
    this.#isShuttingDown = true;
    clearInterval(this.#saver);
    clearInterval(this.#sysinfo);
    this.#listener.stop();
    while (this.#listener.clients().length > 0) await Bun.sleep(quiescePollMs);
    post({ kind: "quiesced" });
  }

  async close(): Promise<void> {
    this.#listener.terminate();
    await this.#shard.close();
    this.#metadataLog?.close();
    post({ kind: "closed" });
  }

  #save(): void {
    this.#shard.save().catch((error: unknown) => this.#log.error("the saver failed", { error }));
  }

  #clusterMetadata(): ClusterMetadata {
    return makeClusterMetadata(this.#start.config, this.#bound, this.#start.follower);
  }
}

/** Spec SB 1.7: the first entry of the metadata. True when it was made now. */
async function createRootUser(metadataLog: MetadataLog, start: ShardStart, log: Logger): Promise<boolean> {
  if (metadataLog.state.users.byId.has(0) || start.root === undefined) return false;
  const { username, password } = start.root;
  metadataLog.append({
    kind: "userCreated",
    userId: 0,
    name: username,
    passwordHash: await hashPassword(password),
    status: 1,
    createdAtMicros: systemClock.nowMicros(),
    permissions: allPermissions,
  });
  log.info("created the root user", { username });
  return true;
}

let shardProcess: ShardProcess | undefined;

async function handle(message: ToShard): Promise<void> {
  if (message.kind === "start") {
    shardProcess = await ShardProcess.open(message.start);
    return;
  }
  if (shardProcess === undefined) throw new Error(`${message.kind} came before start`);
  switch (message.kind) {
    case "listen":
      shardProcess.listen(message.host, message.port);
      return;
    case "bound":
      shardProcess.bound(message.ports);
      shardProcess.startSysinfo();
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
    post({ kind: "failed", reason: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  });
};
