// A shard's way to the login desk.
import { assert } from "../../platform/assert.ts";
import { IggyError } from "../../protocol/errors.ts";
import type { DeskAnswer, DeskAnswerMessage, DeskRequest, DeskRequestMessage, LoginPort } from "./messages.ts";

/** That too many wait is told once in this time. */
const newsAfterMs = 10_000;

export class Logins {
  readonly #port: LoginPort<DeskRequestMessage>;
  readonly #waiting = new Map<number, (answer: DeskAnswer) => void>();
  #nextId = 0;
  #toldMs = Number.NEGATIVE_INFINITY;

  constructor(port: LoginPort<DeskRequestMessage>) {
    this.#port = port;
    port.addEventListener("message", ({ data }) => {
      const { id, answer } = data as DeskAnswerMessage;
      const answered = this.#waiting.get(id);
      assert(answered !== undefined, "the login desk answers each question once", { id });
      this.#waiting.delete(id);
      answered(answer);
    });
    port.start();
  }

  /** Whether a login with name and password is right. Rejects with CannotEstablishConnection (9) when too many wait. */
  async isRight(tried: Omit<Extract<DeskRequest, { kind: "password" }>, "kind">): Promise<boolean> {
    return (await this.#ask({ kind: "password", ...tried })).kind === "right";
  }

  /** Resolves when a wrong token may be refused. Rejects as `isRight`. */
  async wrongToken(address: string): Promise<void> {
    await this.#ask({ kind: "wrongToken", address });
  }

  /** The hash of a new password. Rejects as `isRight`. */
  async hash(address: string, password: string): Promise<string> {
    const answer = await this.#ask({ kind: "hash", address, password });
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

  async #ask(request: DeskRequest): Promise<DeskAnswer> {
    const id = this.#nextId++;
    const answer = await new Promise<DeskAnswer>((resolve) => {
      this.#waiting.set(id, resolve);
      this.#port.postMessage({ id, request });
    });
    if (answer.kind === "refused") throw new IggyError("CannotEstablishConnection");
    if (answer.kind === "failed") throw new Error(`a password could not be checked or hashed: ${answer.reason}`);
    return answer;
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
