// The sign-ins that have sockets open: each socket is closed when its sign-in is over, be that by a sign-out in some window or
// because its last token has ended.
import type { Clock } from "../../../platform/clock.ts";
import type { Caller } from "../auth/access-tokens.ts";

/** Longer ones do not fit into a timer: it is looked again then. */
const timerMsMax = 24 * 60 * 60 * 1000;

interface SignIn {
  /** How each of its sockets is closed. */
  readonly closers: Set<() => void>;
  endSeconds: number;
  timer: Timer | undefined;
}

export class SignIns {
  readonly #clock: Clock;
  readonly #byId = new Map<string, SignIn>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** `close` is called when the caller's sign-in is over; what is returned takes it back. */
  add({ console, endSeconds }: Caller, close: () => void): () => void {
    if (console === undefined) return () => undefined;
    const { id } = console;
    const signIn = this.#byId.get(id) ?? { closers: new Set(), endSeconds, timer: undefined };
    this.#byId.set(id, signIn);
    signIn.closers.add(close);
    signIn.endSeconds = Math.max(signIn.endSeconds, endSeconds);
    this.#watchEnd(id, signIn);
    return () => {
      signIn.closers.delete(close);
      if (signIn.closers.size > 0) return;
      clearTimeout(signIn.timer);
      this.#byId.delete(id);
    };
  }

  /** It goes on until then: its token was renewed. */
  renewed(id: string, endSeconds: number): void {
    const signIn = this.#byId.get(id);
    if (signIn === undefined || endSeconds <= signIn.endSeconds) return;
    signIn.endSeconds = endSeconds;
    this.#watchEnd(id, signIn);
  }

  /** It is over: its sockets are closed. */
  signedOut(id: string): void {
    for (const close of this.#byId.get(id)?.closers ?? []) close();
  }

  /** No more timers. */
  stop(): void {
    for (const { timer } of this.#byId.values()) clearTimeout(timer);
  }

  /** One timer for each. */
  #watchEnd(id: string, signIn: SignIn): void {
    clearTimeout(signIn.timer);
    const restMs = signIn.endSeconds * 1000 - this.#clock.nowMicros() / 1000;
    signIn.timer = setTimeout(
      () => {
        if (restMs > timerMsMax) this.#watchEnd(id, signIn);
        else this.signedOut(id);
      },
      Math.min(Math.max(restMs, 0), timerMsMax),
    );
  }
}
