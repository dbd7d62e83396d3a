// The polls of a shard that wait, with the clock and the timer of the process.
import type { Config } from "../config/schema/index.ts";
import { waitMsMax } from "../protocol/extensions/poll-waiting.ts";
import { Deadlines, WaitingPolls } from "../server/index.ts";
import type { Shard } from "../shard/index.ts";

/** How late the end of a wait may be, for one timer to serve all. */
const stepMs = 50;

export function makeWaits(shard: Shard, limits: Config["limits"]): WaitingPolls {
  const nowMs = () => performance.now();
  const schedule = (run: () => void, delayMs: number) => {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  };
  return new WaitingPolls({
    shard,
    nowMs,
    deadlines: new Deadlines({ nowMs, schedule, stepMs, waitMsMax }),
    limits: { ofAll: limits.waitingPolls, ofUser: limits.waitingPollsPerUser },
  });
}
