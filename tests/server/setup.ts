// What dispatch needs to run commands, over the two shards of the shard tests.
import { createLogger } from "../../src/observability/log.ts";
import type { ServerContext, Session } from "../../src/server/index.ts";
import { createSession, LoginThrottle, Sessions } from "../../src/server/index.ts";
import { rootCreatedAtMicros, type TestShard } from "../shard/setup.ts";

export const startTimeMicros = rootCreatedAtMicros;

/** `nowMicros` is one second after the start. */
export function makeContext({ shard }: TestShard, changes: Partial<ServerContext> = {}): ServerContext {
  const notExpected = () => {
    throw new Error("not expected in this test");
  };
  const clock = { nowMicros: () => startTimeMicros + 1_000_000 };
  return {
    shard,
    sessions: new Sessions({ shard, clock, onFailure: notExpected }),
    loginThrottle: new LoginThrottle(),
    clock,
    auditLog: createLogger({ filter: "off" }),
    hidesNames: false,
    startTimeMicros,
    systemStats: notExpected,
    clusterMetadata: notExpected,
    snapshot: notExpected,
    isShuttingDown: () => false,
    ...changes,
  };
}

/** A connection; logged in if `userId` is given. */
export function makeSession(userId?: number): Session {
  return createSession({
    clientId: 5,
    transport: "tcp",
    address: "127.0.0.1:4000",
    user: userId === undefined ? undefined : { id: userId, createdAtMicros: startTimeMicros },
    heartbeatMicros: startTimeMicros,
    isRecordGone: false,
    hasJoinedGroups: false,
    groupTurns: new Map(),
    moves: 0,
  });
}
