// A broker for tests, as its user sees it: the same in this process (whippet/embedded) and as a process (whippet/spawn).

import type { Client, ConnectOptions, Topic } from "../client/index.node.ts";

export type BrokerTransport = "tcp" | "websocket" | "http";

export interface BrokerOptions {
  /**
   * Where messages are kept: in memory ("memory", of a process in a directory that goes with it), in a directory that goes with
   * the broker, or in one that stays.
   */
  readonly storage?: "memory" | "temporary" | { readonly directory: string };
  /** Those that listen, at ports of their own on 127.0.0.1 (["tcp", "websocket"]). */
  readonly transports?: readonly BrokerTransport[];
  /** Keys of the configuration by their dotted names, as in `"system.message_deduplication.enabled": true`. */
  readonly config?: Readonly<Record<string, string | number | boolean>>;
}

/** Faults of the way between clients and the broker, of all transports. Each stays until it is taken back. */
export interface BrokerNetwork {
  /** Every connection that is open ends now; new ones are as good as ever. */
  cut(): void;
  /** Nothing passes, in either direction, until `resume`. */
  pause(): void;
  resume(): void;
  /** What is sent from now on takes so long, in each direction (0: as fast as it can). */
  delay(ms: number): void;
  /**
   * After so many more bytes of replies the connection that they go to is cut, once, in the middle of a reply if need be. Replies
   * to logins, pings and look-ups, which a client makes by itself and repeats by itself, pass and do not count (of HTTP and of clients of
   * 0.9 everything counts).
   */
  cutAfterBytes(bytes: number): void;
  /** Whether new connections are refused, as if nobody listened. */
  refuse(isRefused: boolean): void;
}

/** A running broker with the user `iggy`, whose password is `iggy`. */
export interface Broker extends AsyncDisposable {
  /** With name and password, but of HTTP. TypeError for a transport that is not among `transports`. */
  url(transport?: BrokerTransport): string;
  /** A client that is logged in as `iggy`, and closed with the broker. */
  client(options?: ConnectOptions): Promise<Client>;
  /** A topic of its own in a stream of its own (1 partition). */
  freshTopic(options?: { readonly partitionsCount?: number }): Promise<Topic<Uint8Array, Uint8Array>>;
  /** As `kill -9`. */
  kill(): Promise<void>;
  /** As SIGTERM: what is under way is finished, everything flushed and synced. */
  stop(): Promise<void>;
  /** On the same data, at the same ports; one that runs is stopped before. */
  restart(): Promise<void>;
  readonly network: BrokerNetwork;
}

/** A broker in this process. */
export interface InProcessBroker extends Broker {
  /** Time of the broker and of `client()`. It stands still, from the start's time on, until somebody makes it pass. */
  readonly clock: {
    /** µs since the Unix epoch. */
    nowMicros(): number;
    /** Lets `ms` pass: what falls due is done in order, with all that follows from it. RangeError for less than 0. */
    advance(ms: number): Promise<void>;
  };
  /** Each fault stays until `heal`, also over restarts. */
  readonly disk: {
    /** Writes fail, after so many more (0); with ENOSPC new files cannot be made either. */
    failWrites(code: "ENOSPC" | "EIO", after?: number): void;
    /** Syncs fail. */
    failSyncs(): void;
    /** Reads and syncs take so long, by `clock`. */
    slow(ms: number): void;
    /** The next `kill` is a power cut: what was not synced is gone. TypeError where the disk is not in memory. */
    loseUnsynced(): void;
    heal(): void;
  };
}

/**
 * Starts a broker with one shard on the calling thread. Rejects with ConfigError for keys that do not exist or values that break
 * their rules, and with what keeps it from its data.
 */
export type StartBroker = (options?: BrokerOptions) => Promise<InProcessBroker>;
