// Connections that the runtime keeps to itself: of HTTP, and of WebSocket until the handshake is whole. It tells nobody that it
// has accepted them, closes those that do not send a request after some seconds only, and has no limit for their number. So
// they are counted from time to time as the system has them, and where there are too many, those of the address that has the
// most are ended, the one on which nothing has happened for longest first.

import type { Logger } from "../observability/log.ts";
import { LoopSockets } from "../platform/loop-sockets.ts";
import { sourceOf } from "../server/index.ts";
import type { Statistics } from "../shard/index.ts";
import { NowAndThen } from "./now-and-then.ts";

export interface RuntimeConnectionsOptions {
  readonly port: number;
  /** Infinity: no limit. */
  readonly max: number;
  /** The key that limits them, for the log. */
  readonly key: string;
  /** How many of the connections to the port are somebody else's to bound; none when absent. */
  readonly knownCount?: () => number;
  /** Their other ends, `ip:port`. */
  readonly knownAddresses?: () => ReadonlySet<string>;
  readonly statistics: Pick<Statistics, "add">;
  readonly log: Pick<Logger, "warn">;
}

/** While there are few, and while there are many. */
const calmCheckMs = 250;
const busyCheckMs = 100;
/** A look takes some 3 µs for each socket of the thread, and no more than a fiftieth of the time is to go into it. */
const pauseMsPerSocket = 0.15;

export class RuntimeConnections {
  readonly #options: RuntimeConnectionsOptions;
  readonly #sockets: LoopSockets | undefined;
  readonly #told = new NowAndThen<string>();
  #timer: Timer | undefined;

  constructor(options: RuntimeConnectionsOptions) {
    this.#options = options;
    this.#sockets = Number.isFinite(options.max) ? LoopSockets.open() : undefined;
  }

  start(): void {
    if (this.#sockets !== undefined) this.#timer = setTimeout(() => this.#look(this.#sockets!), calmCheckMs);
  }

  stop(): void {
    if (this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#sockets?.close();
  }

  #look(sockets: LoopSockets): void {
    const count = this.#check(sockets);
    const pauseMs = count > this.#options.max / 2 ? busyCheckMs : calmCheckMs;
    this.#timer = setTimeout(() => this.#look(sockets), Math.max(pauseMs, sockets.count * pauseMsPerSocket));
  }

  /** Ends what is too many; how many there were. */
  #check(sockets: LoopSockets): number {
    const { port, max, knownCount, knownAddresses } = this.#options;
    const accepted = sockets.at(port);
    const count = accepted.length - (knownCount?.() ?? 0);
    if (count <= max) return count;
    const known = knownAddresses?.() ?? new Set();
    const facts = accepted.flatMap((fd) => sockets.factsOf(fd) ?? []).filter(({ peer }) => !known.has(peer));
    const ended = tooMany(facts, max);
    for (const { fd } of ended) sockets.end(fd);
    if (ended[0] !== undefined) this.#tell(ended.length, ended[0].peer);
    return count;
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
