// What dispatch needs to run commands, over the two shards of the shard tests.
import type { UserLogin } from "../../src/metadata/index.ts";
import { createLogger } from "../../src/observability/log.ts";
import { waitMsMax } from "../../src/protocol/extensions/poll-waiting.ts";
import { hashPassword, PasswordMemory, verifyPassword } from "../../src/security/password.ts";
import type { ServerContext, Session } from "../../src/server/index.ts";
import {
  createSession,
  Deadlines,
  Logins,
  Refusals,
  Sampler,
  Sessions,
  SubscriptionDesk,
  WaitingPolls,
} from "../../src/server/index.ts";
import { LoginDesk } from "../../src/server/logins/login-desk.ts";
import { serveLogins } from "../../src/server/logins/logins.ts";
import { rootCreatedAtMicros, type TestShard, topicDefaults } from "../shard/setup.ts";

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
    waits: makeWaits(shard),
    subscriptions: new SubscriptionDesk({ shard, limits: { ofAll: 0, ofUser: 0 }, onFailure: notExpected }),
    logins: makeLogins(),
    clock,
    topicDefaults,
    cleanerIntervalMicros: undefined,
    auditLog: createLogger({ filter: "off" }),
    refusals: new Refusals(),
    hidesNames: false,
    spans: undefined,
    deduplicates: false,
    startTimeMicros,
    systemStats: notExpected,
    settings: notExpected,
    logReader: undefined,
    sampler: makeSampler(shard),
    clusterMetadata: notExpected,
    snapshot: notExpected,
    hasStarted: () => true,
    isShuttingDown: () => false,
    ...changes,
  };
}

/** That nobody watches. */
function makeSampler(shard: TestShard["shard"]): Sampler {
  const notExpected = () => {
    throw new Error("not expected in this test");
  };
  const clock = { nowMicros: notExpected };
  const timers = { after: notExpected, every: notExpected };
  const options = { shard, shardCount: 1, clock, elapsed: clock, timers, systemStats: notExpected, history: undefined };
  return new Sampler({ ...options, onFailure: notExpected });
}

function makeWaits(shard: TestShard["shard"]): WaitingPolls {
  const nowMs = () => performance.now();
  const schedule = (run: () => void, delayMs: number) => {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  };
  const deadlines = new Deadlines({ nowMs, schedule, stepMs: 10, waitMsMax });
  return new WaitingPolls({ shard, deadlines, nowMs, limits: { ofAll: 0, ofUser: 0 } });
}

/** With a desk on this thread. */
function makeLogins(): Logins {
  const { port1, port2 } = new MessageChannel();
  const desk = new LoginDesk({
    nowMs: () => performance.now(),
    verify: verifyPassword,
    hash: hashPassword,
    memory: new PasswordMemory(),
    schedule: (call, delayMs) => void setTimeout(call, delayMs),
  });
  serveLogins(port1, desk);
  return new Logins(port2);
}

/** A connection; logged in if `userId` is given. */
export function makeSession(userId?: number): Session {
  return createSession({
    clientId: 5,
    transport: "tcp",
    address: "127.0.0.1:4000",
    user: userId === undefined ? undefined : loginOfUser(userId),
    heartbeatMicros: startTimeMicros,
    isRecordGone: false,
    isLoginOver: false,
    hasJoinedGroups: false,
    groupTurns: new Map(),
    moves: 0,
    protocol: "0.8",
    sessionNumber: 0,
    lastChange: undefined,
  });
}

function loginOfUser(id: number): UserLogin {
  return {
    id,
    createdAtMicros: startTimeMicros,
    credentialsVersion: 0,
    tokenHash: undefined,
    accessTokenId: undefined,
  };
}
