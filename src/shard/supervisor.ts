// The main thread's work: start the threads of the shards one after the other (starting many at once has crashed the runtime),
// have them open their partitions side by side, connect every pair, watch them, stop them. A shard that dies takes the process
// with it: its partitions would be unreachable, and a restart is the state that is tested best.
import type { Config } from "../config/schema/index.ts";
import type { SettingOrigins } from "../config/settings.ts";
import type { LogFileSettings } from "../observability/log-file.ts";
import { createSharedCounters } from "./counters.ts";
import type { BoundPorts, FromShard, RootCredentials, ShardStart, TlsCertificates, ToShard } from "./lifecycle.ts";
import { beatMs, createLoopMemory, type LoopReport, LoopWatch } from "./loop-watch.ts";

export interface SupervisorOptions {
  readonly config: Config;
  readonly settingOrigins: SettingOrigins;
  readonly shardCount: number;
  readonly logFilter: string;
  readonly logFile: LogFileSettings | undefined;
  readonly startTimeMicros: number;
  readonly follower: boolean;
  readonly root: RootCredentials;
  readonly tls: TlsCertificates;
  /** The configured ones; 0 where the system is to choose, and for a transport that is off. */
  readonly listenPorts: BoundPorts;
  /** For each shard. */
  readonly loginPorts: readonly MessagePort[];
  readonly makeWorker: (name: string) => Worker;
  /** Starts the other threads of the process, after those of the shards and before these listen; resolves when they run. */
  readonly startOthers?: () => Promise<void>;
  /** A shard does not turn its event loop, or does so again. */
  readonly onLoop?: (report: LoopReport) => void;
  /** Called once when a shard has died or given up; the process should end with a failure. */
  readonly onFailure: (reason: string) => void;
}

/** Clients are given this long to take their last replies; all shards together, before they are cut. */
const quiesceTimeoutMs = 5000;
/** Flushing and syncing may take long on a slow disk, but not for ever (spec SB 8.10). */
const closeTimeoutMs = 30_000;
/** An orderly stop takes no longer: whoever runs the broker has to wait so long before killing it. */
export const stopMsMax = quiesceTimeoutMs + closeTimeoutMs;

const wasmPageBytes = 64 * 1024;
const arenaStartBytes = 4 * 1024 * 1024;
/** A WebAssembly memory is declared with the largest size that it may ever have; that takes address space only. */
export const arenaBytesMax = 1024 * 1024 * 1024;

interface Waiter {
  readonly kind: FromShard["kind"];
  readonly resolve: (message: FromShard) => void;
}

class ShardWorker {
  readonly worker: Worker;
  readonly #waiters: Waiter[] = [];

  constructor(worker: Worker, name: string, onFailure: (reason: string) => void) {
    this.worker = worker;
    worker.onmessage = (event: MessageEvent<FromShard>) => {
      const message = event.data;
      if (message.kind === "failed") onFailure(`${name}: ${message.reason}`);
      const index = this.#waiters.findIndex((waiter) => waiter.kind === message.kind);
      if (index >= 0) this.#waiters.splice(index, 1)[0]!.resolve(message);
    };
    worker.onerror = (event) => onFailure(`${name} died: ${event.message}`);
    worker.addEventListener("close", () => onFailure(`${name} ended unexpectedly`));
  }

  send(message: ToShard, transfer: MessagePort[] = []): void {
    this.worker.postMessage(message, transfer);
  }

  next<K extends FromShard["kind"]>(kind: K): Promise<Extract<FromShard, { kind: K }>> {
    return new Promise((resolve) => {
      this.#waiters.push({ kind, resolve: (message) => resolve(message as Extract<FromShard, { kind: K }>) });
    });
  }
}

export class Supervisor {
  readonly #options: SupervisorOptions;
  /** Those that have been told to open. */
  readonly #shards: ShardWorker[] = [];
  #tls: TlsCertificates;
  /** Resolves when every shard listens; undefined while none does. */
  #listening: Promise<BoundPorts> | undefined;
  #watchTimer: Timer | undefined;
  #isStopping = false;
  #hasFailed = false;
  #hasSetRootPassword = false;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#tls = options.tls;
  }

  /** Whether this start made the root user, or gave it a new password: which may be known to nobody else. */
  get hasSetRootPassword(): boolean {
    return this.#hasSetRootPassword;
  }

  /** Resolves with the real ports when every shard listens. */
  async start(): Promise<BoundPorts> {
    const { shardCount, makeWorker } = this.#options;
    const counters = createSharedCounters();
    const loops = createLoopMemory(shardCount);
    const memories = Array.from({ length: shardCount }, () => createArena());
    const ports = connectAll(shardCount);
    const opened: Promise<unknown>[] = [];
    let metadata: Promise<Extract<FromShard, { kind: "metadata" }>> | undefined;
    for (let shardId = 0; shardId < shardCount; shardId++) {
      const name = `shard-${shardId}`;
      const shard = new ShardWorker(makeWorker(name), name, (reason) => this.#fail(reason));
      opened.push(shard.next("opened"));
      await shard.next("loaded");
      // Shard 0 begins with the metadata; the others get it from there, and open their partitions while it opens its own.
      const packedState = metadata === undefined ? undefined : (await metadata).packedState;
      metadata ??= shard.next("metadata");
      const own = ports[shardId]!;
      const start = this.#startOf(shardId, counters, loops, memories, own, packedState);
      shard.send({ kind: "start", start }, [start.loginPort, ...own.filter((port) => port !== undefined)]);
      this.#shards.push(shard);
    }
    this.#hasSetRootPassword = (await metadata)?.hasSetRootPassword === true;
    await this.#options.startOthers?.();
    await Promise.all(opened);
    this.#listening = this.#listen();
    const bound = await this.#listening;
    this.#watch(loops);
    return bound;
  }

  async #listen(): Promise<BoundPorts> {
    // Shard 0 binds first; the others share the ports that it got.
    let bound = this.#options.listenPorts;
    for (const shard of this.#shards) {
      const listening = shard.next("listening");
      shard.send({ kind: "listen", ports: bound });
      bound = (await listening).ports;
    }
    for (const shard of this.#shards) shard.send({ kind: "bound", ports: bound });
    return bound;
  }

  #watch(loops: SharedArrayBuffer): void {
    const { onLoop } = this.#options;
    if (onLoop === undefined) return;
    const watch = new LoopWatch(loops, onLoop);
    this.#watchTimer = setInterval(() => watch.look(performance.now()), beatMs);
  }

  /** Every shard shows these certificates to new connections. */
  changeCertificates(tls: TlsCertificates): void {
    this.#tls = tls; // of those that open later
    for (const shard of this.#shards) shard.send({ kind: "certificate", tls });
  }

  /**
   * Orderly stop; true when every shard closed its partitions in time. Before anybody can have been served there is nothing to
   * close: what a start has written so far is as good as what a start leaves that is killed.
   */
  async stop(): Promise<boolean> {
    this.#isStopping = true;
    if (this.#listening === undefined) return true;
    await this.#listening; // a moment
    clearInterval(this.#watchTimer);
    const quiesced = await this.#all("quiesce", "quiesced", quiesceTimeoutMs);
    const closed = await this.#all("close", "closed", closeTimeoutMs);
    return quiesced && closed;
  }

  async #all(kind: "quiesce" | "close", answer: FromShard["kind"], timeoutMs: number): Promise<boolean> {
    const answers = Promise.all(
      this.#shards.map((shard) => {
        const next = shard.next(answer);
        shard.send({ kind });
        return next;
      }),
    ).then(() => true);
    let timer: Timer | undefined;
    const timeout = new Promise<boolean>((resolve) => {
      timer = setTimeout(() => resolve(false), timeoutMs);
    });
    const done = await Promise.race([answers, timeout]);
    clearTimeout(timer);
    return done;
  }

  #startOf(
    shardId: number,
    counters: ShardStart["counters"],
    loops: SharedArrayBuffer,
    memories: readonly WebAssembly.Memory[],
    ports: readonly (MessagePort | undefined)[],
    packedState: SharedArrayBuffer | undefined,
  ): ShardStart {
    const { config, settingOrigins, shardCount, logFilter, logFile, startTimeMicros, follower, root } = this.#options;
    return {
      shardId,
      shardCount,
      config,
      logFilter,
      logFile,
      settingOrigins,
      startTimeMicros,
      follower,
      counters,
      loops,
      memories,
      ports,
      loginPort: this.#options.loginPorts[shardId]!,
      root: shardId === 0 ? root : undefined,
      tls: this.#tls,
      packedState,
    };
  }

  #fail(reason: string): void {
    if (this.#hasFailed || (this.#isStopping && reason.endsWith("ended unexpectedly"))) return;
    this.#hasFailed = true;
    this.#options.onFailure(reason);
  }
}

/** The memory in which one shard receives requests. */
export function createArena(): WebAssembly.Memory {
  return new WebAssembly.Memory({
    shared: true,
    initial: arenaStartBytes / wasmPageBytes,
    maximum: arenaBytesMax / wasmPageBytes,
  });
}

/** A channel for every pair; `[a][b]` is the port of shard a to shard b. */
function connectAll(shardCount: number): (MessagePort | undefined)[][] {
  const ports = Array.from({ length: shardCount }, () =>
    new Array<MessagePort | undefined>(shardCount).fill(undefined),
  );
  for (let first = 0; first < shardCount; first++) {
    for (let second = first + 1; second < shardCount; second++) {
      const channel = new MessageChannel();
      ports[first]![second] = channel.port1;
      ports[second]![first] = channel.port2;
    }
  }
  return ports;
}
