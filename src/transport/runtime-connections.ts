// Connections that the runtime keeps to itself: of HTTP, and of WebSocket until the handshake is whole. It tells nobody that it
// has accepted them, closes those that do not send a request after some seconds only, and has no limit for their number. So
// they are counted from time to time as the system has them, and where there are too many, those of the address that has the
// most are ended, the one on which nothing has happened for longest first.

import type { Logger } from "../observability/log.ts";
import type { AcceptedSocket, LoopSockets } from "../platform/loop-sockets.ts";
import { sourceOf } from "../server/index.ts";
import type { Statistics } from "../shard/index.ts";
import { NowAndThen } from "./now-and-then.ts";

export interface RuntimeConnectionsOptions {
  readonly port: number;
  /** Of this thread; undefined where the system does not list them: then there is no limit. */
  readonly sockets: LoopSockets | undefined;
  /** Infinity: no limit. */
  readonly max: number;
  /** The key that limits them, for the log. */
  readonly key: string;
  /** The other ends, `ip:port`, of those that are somebody else's to bound; none when absent. */
  readonly knownAddresses?: () => ReadonlySet<string>;
  readonly statistics: Pick<Statistics, "add">;
  readonly log: Pick<Logger, "warn">;
}

/** While there are few, and while there are many. */
const calmCheckMs = 250;
const busyCheckMs = 100;
/** A look takes some 1 µs for each socket of the thread; no more than a hundredth of all time is to go into it. */
const pauseMsPerSocket = 0.1;

export class RuntimeConnections {
  readonly #options: RuntimeConnectionsOptions;
  readonly #sockets: LoopSockets | undefined;
  readonly #told = new NowAndThen<string>();
  #timer: Timer | undefined;
  #isStopped = false;

  constructor(options: RuntimeConnectionsOptions) {
    this.#options = options;
    this.#sockets = Number.isFinite(options.max) ? options.sockets : undefined;
  }

  start(): void {
    if (this.#sockets !== undefined) this.#lookIn(calmCheckMs, this.#sockets);
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  #lookIn(pauseMs: number, sockets: LoopSockets): void {
    if (!this.#isStopped) this.#timer = setTimeout(() => this.#look(sockets), pauseMs);
  }

  async #look(sockets: LoopSockets): Promise<void> {
    let pauseMs = calmCheckMs;
    try {
      if ((await this.#check(sockets)) > this.#options.max / 2) pauseMs = busyCheckMs;
    } finally {
      this.#lookIn(Math.max(pauseMs, sockets.count * pauseMsPerSocket), sockets);
    }
  }

  /** Ends what is too many; how many there were. */
  async #check(sockets: LoopSockets): Promise<number> {
    const { port, max, knownAddresses } = this.#options;
    const accepted: AcceptedSocket[] = [];
    for await (const some of sockets.at(port)) accepted.push(...some);
    const known = knownAddresses?.();
    const unknown = known === undefined ? accepted : accepted.filter(({ peer }) => !known.has(peer));
    if (unknown.length <= max || this.#isStopped) return unknown.length;
    const idle = unknown.flatMap((socket) => {
      const traffic = sockets.trafficOf(socket);
      return traffic === undefined ? [] : { ...socket, idleMs: traffic.idleMs };
    });
    const ended = tooMany(idle, max);
    for (const socket of ended) sockets.end(socket);
    if (ended[0] !== undefined) this.#tell(ended.length, ended[0].peer);
    return unknown.length;
  }

  #tell(count: number, address: string): void {
    const { key, max, statistics, log } = this.#options;
    statistics.add("closedIdle", count);
    if (this.#told.isNews(key))
      log.warn("closed connections without a request to make room for others", { address, key, max });
  }
}

interface Idle {
  readonly peer: string;
  readonly idleMs: number;
}

/** Whom to end so that `max` are left: always of the source that has the most, the one that has been idle for longest. */
export function tooMany<T extends Idle>(connections: readonly T[], max: number): T[] {
  const bySource = Map.groupBy(connections, ({ peer }) => sourceOf(peer));
  const sources = [...bySource.values()].map((of) => of.toSorted((left, right) => right.idleMs - left.idleMs));
  sources.sort((left, right) => right.length - left.length);
  const ended: T[] = [];
  // The level that the largest are cut down to sinks until enough have to go.
  for (let level = sources[0]?.length ?? 0; connections.length - ended.length > max && level > 0; level--) {
    for (const of of sources) {
      if (of.length < level || connections.length - ended.length <= max) break;
      ended.push(of[of.length - level]!);
    }
  }
  return ended;
}
