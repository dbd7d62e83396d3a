// A connection that comes back. When it is lost, it is opened again at random, growing pauses and logged in as last time, until
// somebody closes the session or the server refuses the login. A request is repeated only if that cannot do harm: it is a read,
// or not one byte of it has left.

import { CommandCode, commandNameOf } from "../../protocol/codes.ts";
import { IggyError } from "../../protocol/errors.ts";
import { extensionNameOf } from "../../protocol/extensions/codes.ts";
import { isRead } from "../../protocol/read-codes.ts";
import type { ClientClock } from "../clock.ts";
import { ping } from "../commands/basic.ts";
import type { Exchange, ExchangeOptions } from "../commands/command.ts";
import { AuthenticationError, ConnectionError } from "../errors.ts";
import { publish } from "../observe/channels.ts";
import { type Instrumentation, observed } from "../observe/instrumentation.ts";
import { type Resolvers, withResolvers } from "../with-resolvers.ts";
import type { ClientTlsOptions, Connection } from "./connection.ts";
import { ConnectionLostError } from "./connection-lost-error.ts";
import { hintOf } from "./hints.ts";
import { InFlightGate } from "./in-flight-gate.ts";
import { inTime, pause } from "./in-time.ts";
import type { Logins } from "./logins.ts";
import type { Transport } from "./transport.ts";

export type SessionOptions = {
  /** The connection string without its password, for errors. */
  readonly printedUrl: string;
  readonly host: string;
  readonly port: number;
  readonly tls: ClientTlsOptions | undefined;
  readonly transport: Transport;
  readonly logins: Logins;
  /** One attempt with its login. */
  readonly connectTimeoutMs: number;
  /** A request, with all reconnecting; also the time without a byte after which a connection with requests is dead. */
  readonly requestTimeoutMs: number;
  readonly reconnect: ReconnectPolicy | false;
  /** Between pings; 0: none. */
  readonly heartbeatMs: number;
  readonly instrumentation: Instrumentation;
  readonly clock: ClientClock;
};

/** Pauses are random, up to a bound that doubles from `minMs` to `maxMs`. */
export type ReconnectPolicy = { readonly minMs: number; readonly maxMs: number; readonly attemptsMax: number };

export type SessionEvent =
  | { readonly kind: "connected" | "disconnected" | "closed"; readonly error?: IggyError }
  | {
      readonly kind: "reconnecting";
      readonly attempt: number;
      readonly pauseMs: number;
      readonly error: IggyError;
    };

/** Options of one exchange. */
export type SessionExchangeOptions = ExchangeOptions & { readonly signal?: AbortSignal };

/** How often a connection is looked at that may be dead, in the time that it has. */
const looksPerTimeout = 4;

/** Of what is subscribed to on the connections of a session, one after the other. */
export type PushListener = {
  push(code: number, payload: Uint8Array): void;
  /** Nothing comes any more of what was subscribed to. */
  lost(): void;
};

export class Session {
  readonly #options: SessionOptions;
  readonly #onEvent: (event: SessionEvent) => void;
  readonly #gate = new InFlightGate();
  readonly #closing = new AbortController();
  #connection: Connection | undefined;
  /** What those wait for who need a connection. */
  #arrival: Resolvers<Connection> | undefined;
  #ended: IggyError | undefined;
  #isConnecting = false;
  /** Told what the server sends unasked, and when the connection is lost from which it came. */
  listener: PushListener | undefined;
  /** What ends each of the timers. */
  readonly #timers: (() => void)[] = [];

  constructor(options: SessionOptions, onEvent: (event: SessionEvent) => void = () => undefined) {
    this.#options = options;
    this.#onEvent = (event) => {
      publish("session", () => ({ url: options.printedUrl, ...event }));
      onEvent(event);
    };
  }

  get state(): "open" | "reconnecting" | "closed" {
    if (this.#ended !== undefined) return "closed";
    return this.connection === undefined ? "reconnecting" : "open";
  }

  get requestTimeoutMs(): number {
    return this.#options.requestTimeoutMs;
  }

  /** The open connection, if there is one now. */
  get connection(): Connection | undefined {
    return this.#connection?.isClosed === false ? this.#connection : undefined;
  }

  /**
   * Opens it for the first time: one attempt, or as many as fit into `waitForServerMs`. ConnectionError, AuthenticationError,
   * or the signal's reason; the session is closed then.
   */
  async open(waitForServerMs: number, signal?: AbortSignal): Promise<void> {
    const deadlineMs = this.clock.nowMs() + waitForServerMs;
    const { reconnect } = this.#options;
    for (let attempt = 1; ; attempt++) {
      try {
        this.#adopt(await this.#attempt(attempt, signal));
        return;
      } catch (error) {
        const restMs = deadlineMs - this.clock.nowMs();
        if (!(error instanceof ConnectionError) || restMs <= 0) {
          this.close();
          throw error;
        }
        await pause(
          Math.min(restMs, pauseMsOf(reconnect || undefined, attempt)),
          signal ?? this.#closing.signal,
          this.clock,
        );
      }
    }
  }

  /** Opens it in the background, as after a loss, if nobody has yet. */
  start(): void {
    if (!this.#isConnecting && this.#connection === undefined && this.#ended === undefined) void this.#connectAgain(0);
  }

  /** The next open connection; rejects when the session has ended. */
  arrival(): Promise<Connection> {
    const { connection } = this;
    if (connection !== undefined) return Promise.resolve(connection);
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    if (this.#arrival === undefined) {
      this.#arrival = withResolvers<Connection>();
      this.#arrival.promise.catch(() => undefined); // each of those who wait has a promise of its own
    }
    return this.#arrival.promise;
  }

  /** Time and timers of this client. */
  get clock(): ClientClock {
    return this.#options.clock;
  }

  /** What observes this client. */
  get instrumentation(): Instrumentation {
    return this.#options.instrumentation;
  }

  /** A request and the payload of its reply; the first one opens the connection. ConnectionLostError when it is not had in time. */
  async exchange(
    code: number,
    payload: Uint8Array | readonly Uint8Array[],
    { repeatable = isRead(code), signal }: SessionExchangeOptions = {},
  ): Promise<Uint8Array> {
    signal?.throwIfAborted();
    this.start();
    const facts = () => ({ command: commandName(code), bytes: bytesOf(payload) });
    const { request } = this.instrumentation;
    return observed("request", request, facts, () => this.#exchange(code, payload, repeatable, signal));
  }

  async #exchange(
    code: number,
    payload: Uint8Array | readonly Uint8Array[],
    repeatable: boolean,
    signal: AbortSignal | undefined,
  ): Promise<Uint8Array> {
    const deadlineMs = this.clock.nowMs() + this.#options.requestTimeoutMs;
    for (;;) {
      const connection =
        this.connection ??
        (await this.#inTime(this.arrival(), deadlineMs, signal, () => new ConnectionLostError(false)));
      try {
        return await this.#request(connection, code, payload, deadlineMs, signal);
      } catch (error) {
        if (!(error instanceof ConnectionLostError) || (error.requestSent && !repeatable)) throw error;
        if (this.#ended !== undefined || this.clock.nowMs() >= deadlineMs) throw error;
      }
    }
  }

  /** Ends it; what waits is rejected. Calling it again does nothing. */
  close(): void {
    this.#end(new ConnectionLostError(false), undefined);
  }

  async #request(
    connection: Connection,
    code: number,
    payload: Uint8Array | readonly Uint8Array[],
    deadlineMs: number,
    signal: AbortSignal | undefined,
  ): Promise<Uint8Array> {
    const bytes = bytesOf(payload);
    const leave = () => this.#gate.leave(bytes);
    const entry = this.#gate.enter(bytes);
    if (entry !== undefined) {
      try {
        await this.#inTime(entry, deadlineMs, signal, () => new ConnectionLostError(false));
      } catch (error) {
        void entry.then(leave);
        throw error;
      }
    }
    const reply = connection.request(code, payload);
    // The place in the order stays taken until the reply comes or the connection ends, also where nobody waits any more.
    reply.then(leave, leave);
    return this.#inTime(reply, deadlineMs, signal, () => new ConnectionLostError(true));
  }

  #inTime<T>(
    promise: Promise<T>,
    deadlineMs: number,
    signal: AbortSignal | undefined,
    onTimeout: () => unknown,
  ): Promise<T> {
    return inTime(promise, { signal, clock: this.clock, deadlineMs, onTimeout });
  }

  /** Opens and logs in. */
  async #attempt(attempt: number, signal?: AbortSignal): Promise<Connection> {
    const { transport, host, port, tls, connectTimeoutMs, printedUrl } = this.#options;
    const deadlineMs = this.clock.nowMs() + connectTimeoutMs;
    const onTimeout = () => new Error(`no answer within ${connectTimeoutMs} ms`);
    const address = { host, port, connectTimeoutMs, ...(tls === undefined ? {} : { tls }) };
    const failure = (stage: "opening" | "login", cause: unknown) => {
      const facts = { stage, cause, host, port, isTls: tls !== undefined, transport: transport.name };
      return new ConnectionError(printedUrl, attempt, hintOf(facts), { cause });
    };

    const opening = transport.open(address);
    let connection: Connection;
    try {
      connection = await this.#inTime(opening, deadlineMs, signal, onTimeout);
    } catch (cause) {
      opening.then(
        (late) => late.close(),
        () => undefined,
      );
      if (signal?.aborted) throw signal.reason;
      throw failure("opening", cause);
    }
    try {
      await this.#inTime(this.#login(connection), deadlineMs, signal, onTimeout);
      return connection;
    } catch (cause) {
      connection.close();
      if (signal?.aborted) throw signal.reason;
      if (isRefusal(cause)) throw new AuthenticationError(printedUrl, cause);
      throw failure("login", cause);
    }
  }

  /** Without anything to log in with, a ping shows whether the server understands. */
  async #login(connection: Connection): Promise<void> {
    const { logins } = this.#options;
    const exchange: Exchange = (code, payload) => connection.request(code, payload);
    await (logins.isNeeded ? logins.login(exchange) : ping(exchange));
  }

  #adopt(connection: Connection): void {
    if (this.#ended !== undefined) {
      connection.close();
      return;
    }
    this.#connection = connection;
    connection.onPush = (code, payload) => this.listener?.push(code, payload);
    this.#isConnecting = false;
    if (this.#timers.length === 0) this.#watch();
    void connection.closed.then(() => this.#onLost(connection));
    this.#onEvent({ kind: "connected" });
    const arrival = this.#arrival;
    this.#arrival = undefined;
    arrival?.resolve(connection);
  }

  #onLost(connection: Connection): void {
    if (this.#connection !== connection || this.#ended !== undefined) return;
    this.#connection = undefined;
    this.listener?.lost();
    const error = new ConnectionLostError(false);
    this.#onEvent({ kind: "disconnected", error });
    if (this.#options.reconnect === false) this.#end(error, error);
    else void this.#connectAgain(1, error);
  }

  /** `first` 0: the first attempt does not wait. */
  async #connectAgain(first: 0 | 1, lost: IggyError = new ConnectionLostError(false)): Promise<void> {
    const policy = this.#options.reconnect || undefined;
    this.#isConnecting = true;
    for (let attempt = first, error = lost; ; attempt++) {
      if (attempt > 0) {
        const pauseMs = pauseMsOf(policy, attempt);
        this.#onEvent({ kind: "reconnecting", attempt, pauseMs, error });
        await pause(pauseMs, this.#closing.signal, this.clock);
      }
      if (this.#ended !== undefined) return;
      try {
        return this.#adopt(await this.#attempt(attempt + 1 - first));
      } catch (reason) {
        if (!(reason instanceof IggyError)) throw reason;
        error = reason;
        const isLast = policy === undefined || attempt >= policy.attemptsMax;
        if (reason instanceof AuthenticationError || isLast) return this.#end(reason, reason);
      }
    }
  }

  /** Pings, because the server counts only these as signs of life (spec SB 7.6), and looks for connections that are dead. */
  #watch(): void {
    const { heartbeatMs, requestTimeoutMs } = this.#options;
    if (heartbeatMs > 0) this.#timers.push(this.clock.every(heartbeatMs, () => this.#ping()));
    let seen = { connection: this.#connection, receivedBytes: -1, sinceMs: this.clock.nowMs() };
    const look = () => {
      const { connection } = this;
      if (connection === undefined) return;
      const { receivedBytes } = connection;
      const nowMs = this.clock.nowMs();
      const isIdle = connection.inFlightCount === 0;
      if (isIdle || connection !== seen.connection || receivedBytes !== seen.receivedBytes) {
        seen = { connection, receivedBytes, sinceMs: nowMs };
      } else if (nowMs - seen.sinceMs >= requestTimeoutMs) {
        connection.close();
      }
    };
    this.#timers.push(this.clock.every(requestTimeoutMs / looksPerTimeout, look));
  }

  #ping(): void {
    // A connection that is lost meanwhile is noticed by the loss itself.
    this.connection?.request(CommandCode.ping, new Uint8Array(0)).catch(() => undefined);
  }

  #end(reason: IggyError, told: IggyError | undefined): void {
    if (this.#ended !== undefined) return;
    this.#ended = reason;
    for (const endTimer of this.#timers) endTimer();
    this.#closing.abort();
    this.#connection?.close();
    this.listener?.lost();
    this.#arrival?.reject(reason);
    this.#onEvent({ kind: "closed", ...(told === undefined ? {} : { error: told }) });
  }
}

function bytesOf(payload: Uint8Array | readonly Uint8Array[]): number {
  return payload instanceof Uint8Array ? payload.length : payload.reduce((sum, part) => sum + part.length, 0);
}

function commandName(code: number): string {
  return commandNameOf(code) ?? extensionNameOf(code) ?? String(code);
}

function pauseMsOf(policy: ReconnectPolicy | undefined, attempt: number): number {
  const { minMs, maxMs } = policy ?? { minMs: 100, maxMs: 5_000 };
  return Math.random() * Math.min(maxMs, minMs * 2 ** (attempt - 1));
}

/** The server's own answer to a login, in contrast to no answer, or one that nobody understands. */
function isRefusal(cause: unknown): cause is IggyError {
  return IggyError.is(cause) && !IggyError.is(cause, "Disconnected", "InvalidFormat", "CannotEstablishConnection");
}
