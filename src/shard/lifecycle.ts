// What the main thread and a shard say to each other. The main thread starts, watches and stops shards; it carries no data.
import type { TlsTransport } from "../config/certificates.ts";
import type { Config } from "../config/schema/index.ts";
import type { SettingOrigins } from "../config/settings.ts";
import type { MetadataState } from "../metadata/index.ts";
import type { LogFileSettings } from "../observability/log-file.ts";
import type { CertificatePair } from "../security/certificates.ts";
import type { SharedCounters } from "./counters.ts";

/** Ports that clients use, as they were bound; 0 for a transport that is off. */
export interface BoundPorts {
  readonly tcp: number;
  readonly websocket: number;
  readonly quic: number;
  readonly http: number;
}

/** For each transport that needs one. */
export type TlsCertificates = Readonly<Partial<Record<TlsTransport, CertificatePair>>>;

export interface RootCredentials {
  readonly username: string;
  readonly password: string;
  /** A root user that exists gets the password. */
  readonly isReset?: boolean;
  /** Where somebody has given them, who expects them to be those of the root user; undefined: they are made up. */
  readonly givenBy?: string | undefined;
}

/** What makes a shard, wherever it runs. */
export interface ShardSetup {
  readonly shardId: number;
  readonly shardCount: number;
  readonly config: Config;
  /** Where its values come from. */
  readonly settingOrigins: SettingOrigins;
  readonly logFilter: string;
  /** Undefined: no log files. */
  readonly logFile: LogFileSettings | undefined;
  readonly startTimeMicros: number;
  readonly follower: boolean;
  readonly counters: SharedCounters;
  /** Where the main thread sees that the shard turns (loop-watch.ts). */
  readonly loops: SharedArrayBuffer;
  /** One arena per shard. */
  readonly memories: readonly WebAssembly.Memory[];
  /** By shard id; undefined at the own place. */
  readonly ports: readonly (MessagePort | undefined)[];
  /** For the root user, where there is none yet or it is to be reset; on shard 0 only. */
  readonly root: RootCredentials | undefined;
  readonly tls: TlsCertificates;
  /** On every shard but 0, which reads it from the log. */
  readonly state: MetadataState | undefined;
}

/** For a shard in a worker. */
export interface ShardStart extends Omit<ShardSetup, "state"> {
  /** `ShardSetup.state` as `packState` makes it. */
  readonly packedState: SharedArrayBuffer | undefined;
  /** To the login desk of the process. */
  readonly loginPort: MessagePort;
}

export type ToShard =
  | { readonly kind: "start"; readonly start: ShardStart }
  /** Listen at the configured hosts on these ports; 0 lets the system choose. */
  | { readonly kind: "listen"; readonly ports: BoundPorts }
  /** Every transport of every shard listens. */
  | { readonly kind: "bound"; readonly ports: BoundPorts }
  /** The certificate files were read again: new connections get these. */
  | { readonly kind: "certificate"; readonly tls: TlsCertificates }
  /** Stop accepting, tell the clients, finish what is under way. */
  | { readonly kind: "quiesce" }
  /** Flush, sync and close everything. */
  | { readonly kind: "close" };

export type FromShard =
  /** The thread runs, and waits for its start. */
  | { readonly kind: "loaded" }
  /** Of shard 0: the metadata is read and nothing unknown is left beside what it names. For the others, packed (`packState`). */
  | { readonly kind: "metadata"; readonly packedState: SharedArrayBuffer; readonly hasSetRootPassword: boolean }
  /** Partitions are open. */
  | { readonly kind: "opened" }
  /** The ports as they are bound now; those of transports that this shard has no part in as they were given. */
  | { readonly kind: "listening"; readonly ports: BoundPorts }
  | { readonly kind: "quiesced" }
  | { readonly kind: "closed" }
  /** The shard cannot go on; the process must stop. */
  | { readonly kind: "failed"; readonly reason: string };
