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
  readonly shard: Pick<Shard, "counters" | "statistics" | "makeRoomElsewhere">;
  readonly sessions: Pick<Sessions, "closeOldestWithoutLogin">;
  readonly log: Pick<Logger, "warn">;
}

/** Newcomers that are in while other shards are asked to make room for them: so many are above the limits at most. */
const askingMax = 64;

interface Newcomer {
  readonly address: string;
  /** Whose clients make room; undefined: anybody's. */
  readonly source: string | undefined;
}

/** A flood is told once in this time, each kind by itself. */
const lineMs = 10_000;

/** Of one shard. */
export class Admission {
  readonly #options: AdmissionOptions;
  #askingCount = 0;
  readonly #toldMs = { closed: Number.NEGATIVE_INFINITY, refused: Number.NEGATIVE_INFINITY };

  constructor(options: AdmissionOptions) {
    this.#options = options;
  }

  /** Whether a client may come in from `ip:port`. One that is refused is counted, and the log says so now and then. */
  admits(address: string): boolean {
    const { limits, shard } = this.#options;
    const { clients } = shard.counters;
    const source = sourceOf(address);
    const own = { address, source };
    const all = { address, source: undefined };
    if (clients.of(source) >= limits.maxPerAddress && !this.#makesRoom(own, "max_per_address")) return false;
    if (
      clients.withoutLoginOf(source) >= limits.maxWithoutLoginPerAddress &&
      !this.#makesRoom(own, "max_without_login_per_address")
    ) {
      return false;
    }
    if (clients.total >= limits.max && !this.#makesRoom(all, "max")) return false;
    return clients.totalWithoutLogin < limits.maxWithoutLogin || this.#makesRoom(all, "max_without_login");
  }

  /**
   * First of this shard's own, though another one may have some that are older: the system spreads clients evenly. Where this one
   * has none, and others do, they are asked, and the newcomer is in meanwhile.
   */
  #makesRoom(newcomer: Newcomer, key: string): boolean {
    const { address, source } = newcomer;
    const { shard, sessions } = this.#options;
    if (sessions.closeOldestWithoutLogin(source)) {
      this.#tellClosed(address);
      return true;
    }
    const { clients } = shard.counters;
    const elsewhereCount = source === undefined ? clients.totalWithoutLogin : clients.withoutLoginOf(source);
    if (elsewhereCount === 0 || this.#askingCount >= askingMax) {
      this.#tellRefused(address, key);
      return false;
    }
    this.#askingCount++;
    this.#makeRoomElsewhere(newcomer, key)
      .catch(() => this.#tellRefused(address, key)) // the shards are stopping
      .finally(() => this.#askingCount--);
    return true;
  }

  /** Where no other shard has room to make any more, whoever is not logged in here is too many: the newcomer, if nobody else. */
  async #makeRoomElsewhere({ address, source }: Newcomer, key: string): Promise<void> {
    const { shard, sessions } = this.#options;
    if (await shard.makeRoomElsewhere(source)) this.#tellClosed(address);
    else if (sessions.closeOldestWithoutLogin(source)) this.#tellRefused(address, key);
  }

  #tellClosed(address: string): void {
    const { shard, log } = this.#options;
    shard.statistics.add("closedBeforeLogin");
    if (this.#isNews("closed"))
      log.warn("closed a client that is not logged in, to make room for another", { address });
  }

  #tellRefused(address: string, name: string): void {
    const { limits, shard, log } = this.#options;
    shard.statistics.add("refusedConnections");
    const key = `connections.${name}`;
    if (this.#isNews("refused")) log.warn("refused a client: there are too many", { address, key, max: limits.max });
  }

  #isNews(kind: "closed" | "refused"): boolean {
    const nowMs = performance.now();
    if (nowMs - this.#toldMs[kind] < lineMs) return false;
    this.#toldMs[kind] = nowMs;
    return true;
  }
}
