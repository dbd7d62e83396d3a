// When an actor begins its requests. Without a rate each follows the one before (closed loop): a server that stalls then delays
// requests that never come, and the stall is one latency of many. With a rate the beginnings are planned first (open loop), and a
// latency counts from the plan, also where the request before was late, as wrk2 does: a stall is in every request that it held up.

/** A timer may be late by more than this. What is left is waited for turn by turn of the event loop, which takes processor time. */
const timerSlackMs = 2;

/** With a time limit a run may take so many times as long, to send what is late. */
const overrunMax = 2;

export interface ScheduleOptions {
  /** Between two requests of this actor, ms. */
  readonly intervalMs: number;
  /** The first request comes so much later, so that actors take turns, ms. */
  readonly offsetMs: number;
  /** Requests of the plan. */
  readonly count: number;
  /** Duration of the plan; infinite if only `count` ends it. */
  readonly seconds: number;
}

/** The plan of one actor; several requests may be under way, each takes the next place. */
export class Schedule {
  readonly #startMs: number;
  readonly #intervalMs: number;
  readonly #count: number;
  readonly #endMs: number;
  #taken = 0;

  constructor({ intervalMs, offsetMs, count, seconds }: ScheduleOptions, startMs = performance.now()) {
    this.#startMs = startMs + offsetMs;
    this.#intervalMs = intervalMs;
    this.#count = Math.min(count, Math.max(0, Math.ceil((seconds * 1000 - offsetMs) / intervalMs)));
    this.#endMs = startMs + seconds * overrunMax * 1000;
  }

  /** Resolves at the planned beginning of the next request with that time (of `performance.now`), at once if it is past; undefined at the end. */
  async next(): Promise<number | undefined> {
    if (this.#taken >= this.#count || performance.now() > this.#endMs) return undefined;
    const plannedMs = this.#startMs + this.#taken++ * this.#intervalMs;
    const aheadMs = plannedMs - performance.now();
    if (aheadMs > timerSlackMs) await Bun.sleep(aheadMs - timerSlackMs);
    while (performance.now() < plannedMs) await new Promise<void>((resolve) => setImmediate(resolve));
    return plannedMs;
  }

  /** Requests of the plan that were not begun: the server is too slow for the rate. */
  get unsent(): number {
    return this.#count - this.#taken;
  }
}

/** The plan of a producer: `bytesPerSecond` of payload of all actors together. */
export function scheduleOptionsOf(
  job: {
    readonly bytesPerSecond: number;
    readonly messagesPerBatch: number;
    readonly messageSizeBytes: number;
    readonly producersCount: number;
  },
  index: number,
): Pick<ScheduleOptions, "intervalMs" | "offsetMs"> {
  const { bytesPerSecond, messagesPerBatch, messageSizeBytes, producersCount } = job;
  const intervalMs = (messagesPerBatch * messageSizeBytes * producersCount * 1000) / bytesPerSecond;
  return { intervalMs, offsetMs: (index * intervalMs) / producersCount };
}
