// What a shard gets from the process or the test that it runs in: everything that a simulation replaces.
import type { Spans } from "../observability/telemetry/telemetry.ts";
import { type Clock, monotonicClock, systemClock, systemTimers, type Timers } from "../platform/clock.ts";
import type { Disk } from "../platform/disk.ts";
import { realDisk } from "../platform/real-disk.ts";
import { hashPassword } from "../security/password.ts";
import type { DeskRequestMessage, LoginPort } from "../server/logins/messages.ts";
import { type DescriptorShares, readDescriptorLimit, shareDescriptors } from "./descriptors.ts";

export interface ShardHost {
  readonly disk: Disk;
  /** Wall-clock time, for timestamps. */
  readonly clock: Clock;
  /** Time that passes and never steps. */
  readonly elapsed: Clock;
  readonly timers: Timers;
  readonly descriptors: DescriptorShares;
  /** To the login desk of the process. */
  readonly loginPort: LoginPort<DeskRequestMessage>;
  /** For the root user, before anybody is served. */
  readonly hashPassword: (password: string) => string;
  /** Of commands, for OpenTelemetry; undefined where it is off. */
  readonly spans: Spans | undefined;
}

/** That of a shard of the server. */
export function realHost(loginPort: MessagePort, shardCount: number, spans: Spans | undefined): ShardHost {
  return {
    disk: realDisk,
    clock: systemClock,
    elapsed: monotonicClock,
    timers: systemTimers,
    descriptors: shareDescriptors(readDescriptorLimit(), shardCount),
    loginPort,
    hashPassword,
    spans,
  };
}
