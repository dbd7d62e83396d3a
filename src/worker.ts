// The composition root of one shard: a Bun worker that makes the real disk, clock and random, opens its partitions, and
// serves. It does what the main thread says (shard/lifecycle.ts).
declare const self: Worker;

import { join } from "node:path";
import { makeClusterMetadata } from "./cluster.ts";
import { parseListenAddress } from "./config/address.ts";
import { dumpToml } from "./config/dump.ts";
import { TokenKeyError } from "./config/token-keys.ts";
import { startMaintenance } from "./maintenance.ts";
import { MetadataKeyError, MetadataLog, type MetadataState } from "./metadata/index.ts";
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
import { allTotals, isServerFault, LoginThrottle, type ServerContext, Sessions } from "./server/index.ts";
import {
  arenaBytesMax,
  type BoundPorts,
  Cleaner,
  ControlPlane,
  Counters,
  dataPaths,
  FrameMemory,
  type FromShard,
  LocalPartitions,
  Shard,
  type ShardStart,
  type TlsCertificates,
  type ToShard,
} from "./shard/index.ts";
import { createStorageContext, kernelReservedBytes, WasmBatchKernel } from "./storage/index.ts";
import { takeOver } from "./takeover/take-over.ts";
import { TakeoverError } from "./takeover/takeover-error.ts";
import { BusyPoll } from "./transport/busy-poll.ts";
import { RevocationFileError } from "./transport/http/auth/revocations.ts";
import type { HttpServer, HttpServerOptions } from "./transport/http/server.ts";
import { QuicListener } from "./transport/quic/listener.ts";
import { SidecarUnavailableError } from "./transport/quic/sidecar-program.ts";
import { TcpListener } from "./transport/tcp/listener.ts";
import { WebSocketListener } from "./transport/websocket/listener.ts";

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
  readonly #tcp: TcpListener;
  readonly #websocket: WebSocketListener;
  /** On shard 0, if it is on. */
  readonly #quic: QuicListener | undefined;
  /** On shard 0, if it is on; made when the shard begins to listen. */
  readonly #httpOptions: HttpServerOptions | undefined;
  #http: HttpServer | undefined;
  readonly #metadataLog: MetadataLog | undefined;
  readonly #sessions: Sessions;
  readonly #cleaner: Cleaner;
  readonly #stopMaintenance: () => void;
  #bound: BoundPorts = { tcp: 0, websocket: 0, quic: 0, http: 0 };
  #sysinfo: Timer | undefined;
  #isShuttingDown = false;

  private constructor(start: ShardStart, root: Logger, metadataLog: MetadataLog | undefined, state: MetadataState) {
    const { config, shardId, shardCount } = start;
    const { partition, segment, topic } = config.system;
    this.#start = start;
    const log = root.child(`shard-${shardId}`);
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
          new ControlPlane({
            log: metadataLog,
            disk: realDisk,
            clock: systemClock,
            paths,
            topicDefaults,
            tokensPerUserMax: config.personalAccessToken.maxTokensPerUser,
            broadcast,
          })),
      localClients: () => this.#sessions.clients(),
      onEvent: (event) => this.#sessions.follow(event),
      onAdopt: (connection) => this.#tcp.adopt(connection),
      onFailure: (error) => {
        if (isServerFault(error)) log.error("a request of another shard failed", { error });
      },
    });
    this.#sessions = new Sessions({
      shard: this.#shard,
      clock: systemClock,
      onFailure: (error) => log.error("a client that is gone could not leave its groups", { error }),
    });
    const context: ServerContext = {
      shard: this.#shard,
      sessions: this.#sessions,
      loginThrottle: new LoginThrottle(),
      clock: systemClock,
      auditLog: root.child("audit"),
      hidesNames: config.system.encryption.enabled,
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
    const transport = {
      context,
      frameMemory: new FrameMemory({
        memory: start.memories[shardId]!,
        reservedBytes: kernelReservedBytes,
        arenaBytesMax: Math.min(arenaBytesMax, Math.floor(config.system.memoryPool.sizeBytes / shardCount)),
        largeBytesMax: Math.max(config.tcp.maxRequestSizeBytes, config.system.memoryPool.sizeBytes / shardCount),
      }),
      busyPoll: new BusyPoll(),
      frames: config.tcp.frames,
      requestBytesMax: config.tcp.maxRequestSizeBytes,
    };
    this.#tcp = new TcpListener({
      ...transport,
      canMove: config.tcp.socketMigration && shardCount > 1,
      socketOptions: config.tcp.socket.overrideDefaults ? config.tcp.socket : undefined,
      tls: start.tls.tcp,
      log: log.child("tcp"),
    });
    this.#websocket = new WebSocketListener({
      ...transport,
      limits: {
        messageBytesMax: config.websocket.maxMessageSizeBytes,
        readBufferBytes: config.websocket.readBufferSizeBytes,
        writeBufferBytesMax: config.websocket.maxWriteBufferSizeBytes,
      },
      originRules: () => ({ allowedOrigins: config.websocket.allowedOrigins, httpPort: this.#bound.http }),
      tls: start.tls.websocket,
      log: log.child("websocket"),
    });
    if (start.tls.quic !== undefined && shardId === 0) {
      this.#quic = new QuicListener({
        ...transport,
        certificate: start.tls.quic,
        directory: join(config.system.path, config.system.runtime.path, "quic"),
        streamsMax: config.quic.maxConcurrentBidiStreams,
        keepAliveMs: config.quic.keepAliveIntervalMicros / 1000,
        idleTimeoutMs: config.quic.maxIdleTimeoutMicros / 1000,
        log: log.child("quic"),
      });
    }
    if (config.http.enabled && shardId === 0) {
      this.#httpOptions = {
        context,
        config: config.http,
        frameMemory: transport.frameMemory,
        disk: realDisk,
        stateDirectory: paths.stateDirectory,
        log: log.child("http"),
      };
    }
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
    if (start.shardId !== 0) {
      const process = new ShardProcess(start, root, undefined, start.state!);
      post({ kind: "opened", state: undefined, hasCreatedRoot: false });
      return process;
    }
    const log = root.child(`shard-${start.shardId}`);
    const { system } = start.config;
    const { stateDirectory } = dataPaths(system);
    const cipher = system.encryption.enabled ? { cipher: createCipher(system.encryption.key) } : {};
    const openLog = (enforceFsync: boolean) =>
      MetadataLog.open({
        disk: realDisk,
        directory: stateDirectory,
        enforceFsync,
        ...cipher,
        onSnapshotFailure: (error) => log.error("no snapshot of the metadata could be taken", { error }),
      });
    takeOver({
      disk: realDisk,
      stateDirectory,
      defaults: { messageExpiryMicros: system.topic.messageExpiry, maxTopicSizeBytes: system.topic.maxSize },
      nowMicros: systemClock.nowMicros(),
      ...cipher,
      openLog: () => openLog(false).log,
      onInfo: (message, fields) => log.info(message, fields),
    });
    const { log: metadataLog, state, repairs } = openLog(system.state.enforceFsync);
    for (const repair of repairs) log.warn("the metadata log was repaired", { ...repair });
    const hasCreatedRoot = await createRootUser(metadataLog, start, log);
    const process = new ShardProcess(start, root, metadataLog, state);
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
      const { messagesCount, sizeBytes } = allTotals(this.#shard);
      const clientsCount = this.#shard.counters.clientsCount();
      const counts = { clientsCount, openFilesCount: countOpenFiles(), messagesCount, messagesSizeBytes: sizeBytes };
      sysinfoLog.info(formatSysinfo(read(), counts));
    }, intervalMs);
  }

  /** Of the binary transports. */
  get #listeners(): readonly (TcpListener | WebSocketListener | QuicListener)[] {
    return [this.#tcp, this.#websocket, ...(this.#quic === undefined ? [] : [this.#quic])];
  }

  /** TCP and WebSocket listen on every shard. */
  async listen(asked: BoundPorts): Promise<void> {
    const { tcp, websocket, http } = this.#start.config;
    const ports = { ...asked };
    if (tcp.enabled) ports.tcp = this.#tcp.listen({ host: hostOf(tcp.address), port: asked.tcp });
    if (websocket.enabled) {
      ports.websocket = this.#websocket.listen({ host: hostOf(websocket.address), port: asked.websocket });
    }
    if (this.#httpOptions !== undefined) {
      // Its libraries take 35 MB and a tenth of a second: no other shard loads them.
      const { HttpServer } = await import("./transport/http/server.ts");
      this.#http = new HttpServer(this.#httpOptions);
      ports.http = this.#http.listen({ host: hostOf(http.address), port: asked.http }, this.#start.tls.http);
    }
    if (this.#quic !== undefined) ports.quic = await this.#listenForQuic(this.#quic, asked.quic);
    post({ kind: "listening", ports });
  }

  /** The port; 0 where this machine has no QUIC, which the other transports can do without. */
  async #listenForQuic(listener: QuicListener, port: number): Promise<number> {
    try {
      return await listener.listen({ host: hostOf(this.#start.config.quic.address), port });
    } catch (error) {
      if (!(error instanceof SidecarUnavailableError)) throw error;
      this.#log.warn("QUIC is off on this machine; the other transports work", { reason: error.message });
      return 0;
    }
  }

  /** New connections get these; open ones do not notice. */
  changeCertificates(tls: TlsCertificates): void {
    if (tls.tcp !== undefined) this.#tcp.reloadTls(tls.tcp);
    if (tls.websocket !== undefined) this.#websocket.reloadTls(tls.websocket);
    if (tls.quic !== undefined) this.#quic?.changeCertificate(tls.quic);
    if (tls.http !== undefined) this.#http?.changeCertificate(tls.http);
  }

  bound(ports: BoundPorts): void {
    this.#bound = ports;
  }

  async quiesce(): Promise<void> {
    this.#isShuttingDown = true;
    this.#stopMaintenance();
    clearInterval(this.#sysinfo);
    for (const listener of this.#listeners) listener.stop();
    this.#http?.stop();
    const isBusy = () =>
      this.#listeners.some((listener) => listener.connectionsCount > 0) || (this.#http?.pendingRequests ?? 0) > 0;
    while (isBusy()) await Bun.sleep(quiescePollMs);
    post({ kind: "quiesced" });
  }

  async close(): Promise<void> {
    this.#http?.terminate();
    await Promise.all(this.#listeners.map((listener) => listener.terminate()));
    await this.#cleaner.stop();
    await this.#shard.close();
    this.#metadataLog?.close();
    post({ kind: "closed" });
  }

  #clusterMetadata(): ClusterMetadata {
    return makeClusterMetadata(this.#start.config, this.#bound, this.#start.follower);
  }
}

/** Validation has checked the address of a transport that is on. */
function hostOf(address: string): string {
  return parseListenAddress(address)?.host ?? "127.0.0.1";
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

/** Why the shard cannot go on; what the operator can mend is said without a stack. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const expected = [TakeoverError, MetadataKeyError, RevocationFileError, TokenKeyError];
  const isExpected = expected.some((kind) => error instanceof kind);
  return isExpected ? error.message : (error.stack ?? error.message);
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
