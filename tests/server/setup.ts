// What dispatch needs to run commands, over the two shards of the shard tests.
import type { ServerContext, Session } from "../../src/server/index.ts";
import { createSession } from "../../src/server/index.ts";
import type { TestShard } from "../shard/setup.ts";

export const startTimeMicros = 1_700_000_000_000_000;

/** `nowMicros` is one second after the start. */
export function makeContext({ shard }: TestShard, changes: Partial<ServerContext> = {}): ServerContext {
  const notExpected = () => {
    throw new Error("not expected in this test");
  };
  return {
    shard,
    clock: { nowMicros: () => startTimeMicros + 1_000_000 },
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
    userId,
    heartbeatMicros: startTimeMicros,
    moves: 0,
  });
}
