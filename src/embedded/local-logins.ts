// The login desk of a broker inside a test: the server's own, on the calling thread, with hashes that cost next to nothing.

import type { Timers } from "../platform/clock.ts";
import { PasswordMemory, verifyPassword } from "../security/password.ts";
import { LoginDesk } from "../server/logins/login-desk.ts";
import { serveLogins } from "../server/logins/logins.ts";
import type { DeskAnswerMessage, DeskRequestMessage, LoginPort } from "../server/logins/messages.ts";
import type { FakeClock } from "./fake-clock.ts";

/** Argon2id as the server's, of the least memory and work there is: nobody's secret depends on it. */
const quick = { algorithm: "argon2id", memoryCost: 8, timeCost: 1 } as const;

/** For data that nobody keeps. */
export function hashQuickly(password: string): string {
  return Bun.password.hashSync(password, quick);
}

/** The shard's end of the port to a desk of its own. */
export function openLocalLogins(
  hash: (password: string) => string,
  clock: FakeClock,
  timers: Timers,
): LoginPort<DeskRequestMessage> {
  const desk = new LoginDesk({
    nowMs: () => clock.nowMicros() / 1000,
    verify: verifyPassword,
    hash,
    memory: new PasswordMemory(),
    schedule: (call, delayMs) => void timers.after(delayMs < 1 ? 0 : delayMs, call),
  });
  const shardEnd = new PortEnd<DeskRequestMessage>();
  const deskEnd = new PortEnd<DeskAnswerMessage>();
  shardEnd.other = deskEnd;
  deskEnd.other = shardEnd;
  serveLogins(deskEnd, desk);
  return shardEnd;
}

/** One end of a port inside a thread, which needs no channel of the runtime. Messages arrive behind the work at hand. */
class PortEnd<Sent> implements LoginPort<Sent> {
  other: { receive(message: unknown): void } | undefined;
  readonly #listeners: ((event: { readonly data: unknown }) => void)[] = [];

  postMessage(message: Sent): void {
    queueMicrotask(() => this.other?.receive(message));
  }

  addEventListener(_type: "message", listener: (event: { readonly data: unknown }) => void): void {
    this.#listeners.push(listener);
  }

  start(): void {
    // Nothing waits: listeners are added before anything is posted.
  }

  receive(data: unknown): void {
    for (const listener of this.#listeners) listener({ data });
  }
}
