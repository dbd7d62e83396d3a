// What the handlers of one shard work with.

import type { Setting } from "../config/settings.ts";
import type { TopicOptionDefaults } from "../metadata/index.ts";
import type { Logger } from "../observability/log.ts";
import type { LogReader } from "../observability/log-reader.ts";
import type { SystemStats } from "../observability/system-stats.ts";
import type { Spans } from "../observability/telemetry/telemetry.ts";
import type { Clock } from "../platform/clock.ts";
import type { ClusterMetadata } from "../protocol/records/cluster-metadata.ts";
import type { SnapshotOptions } from "../protocol/system/get-snapshot.ts";
import type { Shard } from "../shard/index.ts";
import type { Sampler } from "./console/sampler.ts";
import type { Logins } from "./logins/logins.ts";
import type { Refusals } from "./refusals.ts";
import type { Sessions } from "./sessions.ts";
import type { SubscriptionDesk } from "./subscriptions/subscription-desk.ts";
import type { WaitingPolls } from "./waiting/waiting-polls.ts";

export interface ServerContext {
  readonly shard: Shard;
  /** Clients that are connected to this shard. */
  readonly sessions: Sessions;
  /** Polls of these that wait for messages. */
  readonly waits: WaitingPolls;
  /** Messages that are pushed to these, and over HTTP. */
  readonly subscriptions: SubscriptionDesk;
  /** The way to the login desk of the process. */
  readonly logins: Logins;
  readonly clock: Clock;
  /** What topics have whose maker said nothing. */
  readonly topicDefaults: TopicOptionDefaults;
  /** Period of the cleaner of messages, µs; undefined: it is off. */
  readonly cleanerIntervalMicros: number | undefined;
  /** Who changed what, and who was refused. */
  readonly auditLog: Logger;
  /** Of them, who was told lately. */
  readonly refusals: Refusals;
  /** Names stay out of the log: metadata is encrypted on the disk (`system.encryption`). */
  readonly hidesNames: boolean;
  /** Of commands, for OpenTelemetry; undefined where it is off. */
  readonly spans: Spans | undefined;
  /** Whether messages whose id was taken lately are dropped (spec SB 4.4). */
  readonly deduplicates: boolean;
  /** Start of the process, µs since the epoch. */
  readonly startTimeMicros: number;
  readonly systemStats: () => SystemStats;
  /** Numbers of the broker for the console, and their history; of use on shard 0 only. */
  readonly sampler: Sampler;
  /** What the configuration is, without any secret. */
  readonly settings: () => Promise<readonly Setting[]>;
  /** Undefined: nothing is logged to files. */
  readonly logReader: LogReader | undefined;
  readonly clusterMetadata: () => ClusterMetadata;
  /** A ZIP archive of the asked parts, without any secret. */
  readonly snapshot: (options: SnapshotOptions) => Promise<Uint8Array>;
  /** Every shard of the process listens. False while it starts. */
  readonly hasStarted: () => boolean;
  /** Logins are refused from then on (spec SB 8.10). */
  readonly isShuttingDown: () => boolean;
}
