// Whether there is room for one more client of the binary transports. One that is not logged in makes room for a newer one:
// who holds many connections without using them loses them, and everybody else comes in.
import type { Logger } from "../observability/log.ts";
import { type Sessions, sourceOf } from "../server/index.ts";
import type { Shard } from "../shard/index.ts";

/** Of all transports and shards together; Infinity: no limit. `Address`: an IPv4 address or an IPv6 /64 network. */
export interface ClientLimits {
  readonly max: number;
  readonly maxPerAddress: number;
  readonly maxWithoutLogin: number;
  readonly maxWithoutLoginPerAddress: number;
}

export interface AdmissionOptions {
  readonly limits: ClientLimits;
  readonly shard: Pick<Shard, "counters" | "statistics">;
  readonly sessions: Pick<Sessions, "closeOldestWithoutLogin">;
  readonly log: Pick<Logger, "warn">;
}

/** A flood is told once in this time, each kind by itself. */
const lineMs = 10_000;

/** Of one shard. */
export class Admission {
  readonly #options: AdmissionOptions;
  readonly #toldMs = { closed: Number.NEGATIVE_INFINITY, refused: Number.NEGATIVE_INFINITY };

  constructor(options: AdmissionOptions) {
    this.#options = options;
  }

  /** Whether a client may come in from `ip:port`. One that is refused is counted, and the log says so now and then. */
  admits(address: string): boolean {
    const { limits, shard } = this.#options;
    const { clients } = shard.counters;
    const source = sourceOf(address);
    if (clients.of(source) >= limits.maxPerAddress && !this.#makesRoom(address, source)) {
      return this.#refuse(address, "connections.max_per_address");
    }
    if (clients.withoutLoginOf(source) >= limits.maxWithoutLoginPerAddress && !this.#makesRoom(address, source)) {
      return this.#refuse(address, "connections.max_without_login_per_address");
    }
    if (clients.total >= limits.max && !this.#makesRoom(address)) return this.#refuse(address, "connections.max");
    if (clients.totalWithoutLogin >= limits.maxWithoutLogin && !this.#makesRoom(address)) {
      return this.#refuse(address, "connections.max_without_login");
    }
    return true;
  }

  /** Only this shard's own: another one may have some that are older, but the system spreads clients evenly. */
  #makesRoom(address: string, source?: string): boolean {
    const { shard, sessions, log } = this.#options;
    if (!sessions.closeOldestWithoutLogin(source)) return false;
    shard.statistics.add("closedBeforeLogin");
    if (this.#isNews("closed"))
      log.warn("closed a client that is not logged in, to make room for another", { address });
    return true;
  }

  #refuse(address: string, key: string): false {
    const { limits, shard, log } = this.#options;
    shard.statistics.add("refusedConnections");
    if (this.#isNews("refused")) log.warn("refused a client: there are too many", { address, key, max: limits.max });
    return false;
  }

  #isNews(kind: "closed" | "refused"): boolean {
    const nowMs = performance.now();
    if (nowMs - this.#toldMs[kind] < lineMs) return false;
    this.#toldMs[kind] = nowMs;
    return true;
  }
}
