// What the main thread and a shard say to each other. The main thread starts, watches and stops shards; it carries no data.
import type { Config } from "../config/schema/index.ts";
import type { MetadataState } from "../metadata/index.ts";
import type { LogFileSettings } from "../observability/log-file.ts";
import type { SharedCounters } from "./counters.ts";

/** Ports that clients use, as they were bound; 0 for a transport that is off. */
export interface BoundPorts {
  readonly tcp: number;
}

export interface RootCredentials {
  readonly username: string;
  readonly password: string;
}

export interface ShardStart {
  readonly shardId: number;
  readonly shardCount: number;
  readonly config: Config;
  readonly logFilter: string;
  /** Undefined: no log files. */
  readonly logFile: LogFileSettings | undefined;
  readonly startTimeMicros: number;
  readonly follower: boolean;
  readonly counters: SharedCounters;
  /** One arena per shard. */
  readonly memories: readonly WebAssembly.Memory[];
  /** By shard id; undefined at the own place. */
  readonly ports: readonly (MessagePort | undefined)[];
  /** Used if the root user does not exist yet; on shard 0 only. */
  readonly root: RootCredentials | undefined;
  /** On every shard but 0, which reads it from the log. */
  readonly state: MetadataState | undefined;
}

export type ToShard =
  | { readonly kind: "start"; readonly start: ShardStart }
  | { readonly kind: "listen"; readonly host: string; readonly port: number }
  /** Every transport of every shard listens. */
  | { readonly kind: "bound"; readonly ports: BoundPorts }
  /** Stop accepting, tell the clients, finish what is under way. */
  | { readonly kind: "quiesce" }
  /** Flush, sync and close everything. */
  | { readonly kind: "close" };

export type FromShard =
  /** Partitions are open. Shard 0 sends the metadata for the others. */
  | { readonly kind: "opened"; readonly state: MetadataState | undefined; readonly hasCreatedRoot: boolean }
  | { readonly kind: "listening"; readonly port: number }
  | { readonly kind: "quiesced" }
  | { readonly kind: "closed" }
  /** The shard cannot go on; the process must stop. */
  | { readonly kind: "failed"; readonly reason: string };
