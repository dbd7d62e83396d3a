// The polls of a shard that wait, with the clock and the timers of the process.
import type { Config } from "../config/schema/index.ts";
import { waitMsMax } from "../protocol/extensions/poll-waiting.ts";
import { Deadlines, WaitingPolls } from "../server/index.ts";
import type { Shard } from "../shard/index.ts";
import type { ShardHost } from "./shard-host.ts";

/** How late the end of a wait may be, for one timer to serve all. */
const stepMs = 50;

export function makeWaits(
  shard: Shard,
  limits: Config["limits"],
  { elapsed, timers }: Pick<ShardHost, "elapsed" | "timers">,
): WaitingPolls {
  // From 0 on, so that the steps of the wheel stay small numbers.
  const startMicros = elapsed.nowMicros();
  const nowMs = () => (elapsed.nowMicros() - startMicros) / 1000;
  const schedule = (run: () => void, delayMs: number) => timers.after(delayMs, run);
  return new WaitingPolls({
    shard,
    nowMs,
    deadlines: new Deadlines({ nowMs, schedule, stepMs, waitMsMax }),
    limits: { ofAll: limits.waitingPolls, ofUser: limits.waitingPollsPerUser },
  });
}
