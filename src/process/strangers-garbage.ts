// What those leave behind who are sent away: a refused login is some 4 KB of promises and frames, a connection several times that.
// The collector of a shard is in no hurry for it. It goes by the size of the heap, to which buffers of 25 MB count that never
// change, so it lets as much garbage again pile up. So where many were sent away, it is told to collect. That takes some
// milliseconds, most of them beside the event loop.
import type { Statistics } from "../shard/index.ts";

/** Collected at: some MB. A refused login counts 1. */
export const garbageMax = 1000;
/** What is left of a connection, in refused logins. */
export const ofConnection = 4;

export class StrangersGarbage {
  readonly #statistics: Pick<Statistics, "countOf">;
  readonly #collect: () => void;
  #collectedGarbage = 0;

  constructor(statistics: Pick<Statistics, "countOf">, collect: () => void = () => Bun.gc(false)) {
    this.#statistics = statistics;
    this.#collect = collect;
  }

  /** Collects if enough were sent away since the last time. To be called about once a second: more often is never needed. */
  look(): void {
    const statistics = this.#statistics;
    const connections = statistics.countOf("refusedConnections") + statistics.countOf("closedBeforeLogin");
    const garbage = statistics.countOf("refusedLogins") + ofConnection * connections;
    if (garbage - this.#collectedGarbage < garbageMax) return;
    this.#collectedGarbage = garbage;
    this.#collect();
  }
}
