// The client: every command as a method over one connection, topics by handle, and an end in good order.

import { IggyError } from "../protocol/errors.ts";
import { asyncDispose } from "./async-dispose.ts";
import { features } from "./commands/basic.ts";
import type { Exchange } from "./commands/command.ts";
import type { Commands } from "./commands/commands.ts";
import { commandsOver } from "./commands/commands-over.ts";
import { aborted } from "./connection/in-time.ts";
import { Session, type SessionEvent, type SessionOptions } from "./connection/session.ts";
import { EventChannel } from "./event-channel.ts";
import type { IdentifierInput } from "./identifiers.ts";
import { followed } from "./login-commands.ts";
import type { Abortable, CloseOptions } from "./options.ts";
import type { Encryption } from "./topic/encryption.ts";
import { bytes, type Format } from "./topic/format.ts";
import { type Closeable, Topic } from "./topic/topic.ts";
import { TopicContext } from "./topic/topic-context.ts";

export type ClientEvent = SessionEvent;

/** What a client is connected to. */
export type ServerFacts = {
  readonly transport: string;
  readonly address: string;
  /** Who is logged in; undefined for a token. */
  readonly username: string | undefined;
  /** What the server can do beyond Iggy 0.8, by the names of docs/protocol-extensions.md. */
  readonly features: ReadonlySet<string>;
};

const noFeatures: ReadonlySet<string> = new Set();

/** Every command as a method, over one connection; topics by handle. Producers and consumers have connections of their own. */
export interface Client extends Commands, AsyncDisposable {
  readonly state: "open" | "reconnecting" | "closed";
  readonly server: ServerFacts;
  /** A handle; nothing is sent. Without a format values are bytes. */
  topic(stream: IdentifierInput, topic: IdentifierInput): Topic<Uint8Array, Uint8Array>;
  topic<In, Out>(
    stream: IdentifierInput,
    topic: IdentifierInput,
    format: Format<In, Out>,
    options?: { readonly encryption?: Encryption },
  ): Topic<In, Out>;
  /** What happens to the connection of the client's commands, from now on. */
  events(options?: Abortable): AsyncIterableIterator<ClientEvent>;
  /** Consumers finish and commit, producers flush, then the sockets close. Calling it again waits for the same. */
  close(options?: CloseOptions): Promise<void>;
}

/** A client without the methods of the commands. */
class Handle implements Omit<Client, keyof Commands> {
  readonly #options: SessionOptions;
  readonly #session: Session;
  readonly #events = new EventChannel<ClientEvent>();
  readonly #held = { producer: new Set<Closeable>(), consumer: new Set<Closeable>() };
  #features = noFeatures;
  #isOpen = false;
  #closing: Promise<void> | undefined;
  #forgetSignal = (): void => undefined;

  /** Not connected yet. */
  constructor(options: SessionOptions) {
    this.#options = options;
    this.#session = new Session(options, (event) => this.#onEvent(event));
  }

  /** Connects, logs in and asks what the server can do. Called once. */
  async open(waitForServerMs: number, signal: AbortSignal | undefined): Promise<void> {
    await this.#session.open(waitForServerMs, signal);
    try {
      await aborted(this.#probe(), signal);
      this.#isOpen = true;
    } catch (error) {
      this.#session.close();
      throw error;
    }
    if (signal === undefined) return;
    const abort = () => void this.close({ timeoutMs: 0 });
    this.#forgetSignal = () => signal.removeEventListener("abort", abort);
    signal.addEventListener("abort", abort);
  }

  get state(): "open" | "reconnecting" | "closed" {
    return this.#session.state;
  }

  get server(): ServerFacts {
    const { transport, host, port } = this.#options;
    const address = `${host.includes(":") ? `[${host}]` : host}:${port}`;
    return { transport: transport.name, address, username: this.#options.logins.username, features: this.#features };
  }

  topic<In = Uint8Array, Out = Uint8Array>(
    stream: IdentifierInput,
    topic: IdentifierInput,
    format?: Format<In, Out>,
    options?: { readonly encryption?: Encryption },
  ): Topic<In, Out>;
  topic(
    stream: IdentifierInput,
    topic: IdentifierInput,
    format: Format<never, unknown> = bytes,
    { encryption }: { readonly encryption?: Encryption } = {},
  ): Topic<never, unknown> {
    const openSession = (onEvent?: (event: SessionEvent) => void) => new Session(this.#options, onEvent);
    const features = () => this.#features;
    const context = new TopicContext(stream, topic, format, encryption, openSession, features, this.#options.clock);
    return new Topic(context, {
      session: this.#session,
      hold: (kind, held) => {
        if (this.#closing !== undefined) throw new TypeError("the client is closed");
        this.#held[kind].add(held);
        return () => this.#held[kind].delete(held);
      },
    });
  }

  events(options: Abortable = {}): AsyncIterableIterator<ClientEvent> {
    return this.#events.read(options);
  }

  close(options: CloseOptions = {}): Promise<void> {
    this.#closing ??= this.#close(options);
    return this.#closing;
  }

  [asyncDispose](): Promise<void> {
    return this.close();
  }

  get exchange(): Exchange {
    return (code, payload, options) => this.#session.exchange(code, payload, options);
  }

  async #close(options: CloseOptions): Promise<void> {
    const { consumer, producer } = this.#held;
    await Promise.allSettled([...consumer].map((held) => held.close(options)));
    await Promise.allSettled([...producer].map((held) => held.close(options)));
    this.#session.close();
  }

  /** A server without the command is one of Iggy's own; one that wants a login first says nothing of what it can do. */
  async #probe(): Promise<void> {
    try {
      this.#features = (await features(this.exchange)).names;
    } catch (error) {
      if (!IggyError.is(error, "InvalidCommand", "Unauthenticated")) throw error;
      this.#features = noFeatures;
    }
  }

  #onEvent(event: ClientEvent): void {
    this.#events.tell(event);
    // It may be another server by now. What it cannot be asked stays as it was.
    if (event.kind === "connected" && this.#isOpen) this.#probe().catch(() => undefined);
    if (event.kind !== "closed") return;
    this.#forgetSignal();
    this.#events.end();
  }
}

/** Connects, logs in and asks what the server can do. */
export async function openClient(
  options: SessionOptions,
  waitForServerMs: number,
  signal: AbortSignal | undefined,
): Promise<Client> {
  const handle = new Handle(options);
  await handle.open(waitForServerMs, signal);
  const { exchange, ...methods } = followed(commandsOver(handle.exchange), options.logins);
  return Object.assign(handle, methods);
}
