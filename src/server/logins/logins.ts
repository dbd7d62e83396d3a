// A shard's way to the login desk.
import { assert } from "../../platform/assert.ts";
import { systemTimers, type Timers } from "../../platform/clock.ts";
import { IggyError } from "../../protocol/errors.ts";
import type { DeskAnswer, DeskAnswerMessage, DeskRequest, DeskRequestMessage, LoginPort } from "./messages.ts";

/**
 * A refusal for want of room is not said at once: a client tries again when it has its answer, and one that guesses would else
 * try, and be refused, as often as it can send.
 */
export const refusalDelayMs = 1000;
/** That too many wait is told once in this time. */
const newsAfterMs = 10_000;

/**
 * CannotEstablishConnection (9): too many tries wait. One for all of them, since a flood is refused by the hundred a second, and
 * an error of its own with its stack is most of what each would leave behind.
 */
export const tooManyWait = new IggyError("CannotEstablishConnection");

type PasswordCheck = Omit<Extract<DeskRequest, { kind: "password" }>, "kind">;

export class Logins {
  readonly #port: LoginPort<DeskRequestMessage>;
  readonly #timers: Timers;
  readonly #waiting = new Map<number, (answer: DeskAnswer) => void>();
  #nextId = 0;
  #toldMs = Number.NEGATIVE_INFINITY;

  constructor(port: LoginPort<DeskRequestMessage>, timers: Timers = systemTimers) {
    this.#port = port;
    this.#timers = timers;
    port.addEventListener("message", ({ data }) => {
      const { id, answer } = data as DeskAnswerMessage;
      const answered = this.#waiting.get(id);
      assert(answered !== undefined, "the login desk answers each question once", { id });
      this.#waiting.delete(id);
      answered(answer);
    });
    port.start();
  }

  /** Whether a login with name and password is right; "refused": nobody looked at it, since too many wait. */
  async check({ address, name, password, passwordHash }: PasswordCheck): Promise<"right" | "wrong" | "refused"> {
    const { kind } = await this.#ask({ kind: "password", address, name, password, passwordHash });
    return kind === "right" || kind === "refused" ? kind : "wrong";
  }

  /** Resolves when a wrong token may be refused. "refused": it never got its turn, since too many wait. */
  async wrongToken(address: string): Promise<"wrong" | "refused"> {
    const { kind } = await this.#ask({ kind: "wrongToken", address });
    return kind === "refused" ? kind : "wrong";
  }

  /** The hash of a new password. Rejects with CannotEstablishConnection (9) when too many wait. */
  async hash(address: string, password: string): Promise<string> {
    const answer = await this.#ask({ kind: "hash", address, password });
    if (answer.kind === "refused") throw tooManyWait;
    assert(answer.kind === "hashed", "a wish for a hash is answered with one", { kind: answer.kind });
    return answer.passwordHash;
  }

  /** For a log line: true once in a while. */
  isNewsThatTooManyWait(): boolean {
    const nowMs = performance.now();
    if (nowMs - this.#toldMs < newsAfterMs) return false;
    this.#toldMs = nowMs;
    return true;
  }

  #ask(request: DeskRequest): Promise<Exclude<DeskAnswer, { kind: "failed" }>> {
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, (answer) => {
        if (answer.kind === "failed") reject(new Error(`a password could not be checked or hashed: ${answer.reason}`));
        else if (answer.kind === "refused") this.#timers.after(refusalDelayMs, () => resolve(answer));
        else resolve(answer);
      });
      this.#port.postMessage({ id, request });
    });
  }
}

/** The desk's side of the port of one shard. */
export function serveLogins(
  port: LoginPort<DeskAnswerMessage>,
  desk: { ask(request: DeskRequest, answer: (answer: DeskAnswer) => void): void },
): void {
  port.addEventListener("message", ({ data }) => {
    const { id, request } = data as DeskRequestMessage;
    desk.ask(request, (answer) => port.postMessage({ id, answer }));
  });
  port.start();
}
