import type { SessionState } from "./session.ts";

/** Whether the last ping (or the connection, if none came) is older than 1.2 times the interval (spec SB 8.1). */
export function isStale(
  { heartbeatMicros }: Pick<SessionState, "heartbeatMicros">,
  nowMicros: number,
  intervalMicros: number,
): boolean {
  return nowMicros - heartbeatMicros > Math.floor((intervalMicros * 12) / 10);
}
