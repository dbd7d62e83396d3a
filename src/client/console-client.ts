// The console's side of the broker: who is signed in, by JSON over HTTP, and every command, by frames of the binary protocol over
// the socket of the console. The door of the client for the console's page; it runs in a browser only.

import { decode, encode } from "../protocol/codec.ts";
import type { ConfigReply } from "../protocol/console/config.ts";
import type { Health } from "../protocol/console/health.ts";
import type { HistoryReply } from "../protocol/console/history.ts";
import type { LogArgs, LogReply } from "../protocol/console/log.ts";
import type { ConsoleHello, ConsoleSession, ConsoleSignIn } from "../protocol/console/session.ts";
import { type UserHeader, userHeadersCodec } from "../protocol/user-headers.ts";
import { xxHash32 } from "../protocol/xxhash32.ts";
import { systemClock } from "./clock.ts";
import type { Commands } from "./commands/commands.ts";
import { commandsOver } from "./commands/commands-over.ts";
import { Logins } from "./connection/logins.ts";
import { Session, type SessionEvent } from "./connection/session.ts";
import { ask, request } from "./console-request.ts";
import { openWebSocket } from "./transports/websocket.ts";

export type { ConfigReply, SettingRow } from "../protocol/console/config.ts";
export type {
  GroupLag,
  GroupPlace,
  GroupRow,
  Groups,
  GroupsQuery,
  LagMember,
  LagPartition,
  MovedOffsets,
  MoveOffsets,
  MoveTarget,
  OffsetChange,
  PartitionSegment,
  PartitionSegments,
  StoredOffsets,
  TopicOffsets,
  TopicPartition,
  TopicPartitions,
} from "../protocol/console/groups.ts";
export type { Finding, Health } from "../protocol/console/health.ts";
export type { HistoryReply, MetricValues } from "../protocol/console/history.ts";
export { type Change, type ChangeKind, type ScanTerm, scanBounds } from "../protocol/console/live.ts";
export {
  type LogArgs,
  type LogLevelName,
  type LogLine,
  type LogReply,
  type LogTail,
  logLevelNames,
} from "../protocol/console/log.ts";
export type {
  BrokerRetention,
  ConsoleHello,
  ConsoleSession,
  ConsoleSignIn,
  SignedIn,
  SignedOut,
} from "../protocol/console/session.ts";
export { IggyError } from "../protocol/errors.ts";
export type { PolledMessage, PolledMessages } from "../protocol/message/poll-messages.ts";
export type { MessageToSend } from "../protocol/message/send-messages.ts";
export { messageLine } from "../protocol/message-line.ts";
export type { Partitioning } from "../protocol/partitioning.ts";
export { isPermitted, isPermittedSomewhere, type Operation } from "../protocol/permissions.ts";
export type { PollingStrategy } from "../protocol/polling-strategy.ts";
export type { ClientDetails, ClientHeader } from "../protocol/records/client-header.ts";
export type { ClusterMetadata } from "../protocol/records/cluster-metadata.ts";
export type { UserStatus } from "../protocol/records/enumerations.ts";
export type { PartitionRecord } from "../protocol/records/partition-record.ts";
export {
  type GlobalFlag,
  type GlobalPermissions,
  globalFlags,
  type Permissions,
  type StreamFlag,
  type StreamPermissions,
  streamFlags,
  type TopicFlag,
  type TopicPermissions,
  topicFlags,
} from "../protocol/records/permissions.ts";
export type { Stats } from "../protocol/records/stats.ts";
export type { StreamDetails } from "../protocol/records/stream-details.ts";
export type { StreamHeader } from "../protocol/records/stream-header.ts";
export type { TokenEntry } from "../protocol/records/token-entry.ts";
export type { TopicDetails } from "../protocol/records/topic-details.ts";
export type { TopicHeader } from "../protocol/records/topic-header.ts";
export type { UserDetails, UserHeader as UserEntry } from "../protocol/records/user-header.ts";
export type { HeaderField, HeaderKind, UserHeader } from "../protocol/user-headers.ts";
export { headerString } from "../protocol/user-headers.ts";
export { ConnectionLostError } from "./connection/connection-lost-error.ts";
export type { SessionEvent } from "./connection/session.ts";
export {
  findGroups,
  groupHistory,
  moveOffsets,
  partitionSegments,
  topicOffsets,
  topicPartitions,
} from "./console-groups.ts";
export { ConsoleLive, type TailHandle } from "./console-live.ts";
export { ConsoleError } from "./console-request.ts";

/** One attempt to open the socket, and a command with all reconnecting. */
const connectTimeoutMs = 10_000;
const requestTimeoutMs = 30_000;
/** Pauses between attempts are random up to a bound that doubles. */
const reconnect = { minMs: 500, maxMs: 15_000, attemptsMax: Number.POSITIVE_INFINITY } as const;

/** The broker that served the page, over its socket, with the rights of the session. Lost connections come back. */
export interface ConsoleBroker extends Commands {
  /** Opens the socket, if no command has yet. */
  open(): void;
  /** What is under way rejects. */
  close(): void;
}

/** `url`: `ws:` or `wss:`, of `/ui/socket`. */
export function consoleBroker(url: string, onEvent: (event: SessionEvent) => void): ConsoleBroker {
  const { hostname, port, protocol } = new URL(url);
  const session = new Session(
    {
      printedUrl: url,
      host: hostname,
      port: Number(port),
      tls: protocol === "wss:" ? {} : undefined,
      transport: { name: "console", schemes: [], open: () => openWebSocket(url, connectTimeoutMs) },
      logins: new Logins(undefined), // the cookie has logged in
      connectTimeoutMs,
      requestTimeoutMs,
      reconnect,
      heartbeatMs: 0, // the broker's own pings show whether the socket lives
      instrumentation: {},
      clock: systemClock,
    },
    onEvent,
  );
  const commands = commandsOver((code, payload, options) => session.exchange(code, payload, options));
  return { ...commands, open: () => session.start(), close: () => session.close() };
}

/** The headers of a message. Throws IggyError for bytes that are none (`user-headers.ts`). */
export function decodeHeaders(bytes: Uint8Array): readonly UserHeader[] {
  return decode(userHeadersCodec, bytes);
}

/** Headers as a message holds them. Throws IggyError for keys and values of more than 255 bytes. */
export function encodeHeaders(headers: readonly UserHeader[]): Uint8Array {
  return encode(userHeadersCodec, headers);
}

/** The number under which the offsets of a consumer with this name are kept (spec BP 3.3). */
export function consumerNumber(name: string): number {
  return xxHash32(new TextEncoder().encode(name));
}

/** What anybody may know. Rejects with a ConsoleError. */
export function hello(): Promise<ConsoleHello> {
  return ask<ConsoleHello>("GET", "hello");
}

/** What is not as it should be, as far as the user may see it. Rejects with a ConsoleError. */
export function health(): Promise<Health> {
  return ask<Health>("GET", "health");
}

/**
 * Numbers of the broker over time, names as in `protocol/console/history.ts`. `ago`: from so many µs before now on. `points`: about so many.
 * `topic`: that `topic.size` and so on are of. Rejects with a ConsoleError.
 */
export function history(
  series: readonly string[],
  {
    ago,
    points,
    topic,
  }: {
    readonly ago: bigint;
    readonly points: number;
    readonly topic?: { readonly stream: string; readonly topic: string } | undefined;
  },
): Promise<HistoryReply> {
  const query = new URLSearchParams({ series: series.join(","), ago: String(ago), points: String(points), ...topic });
  return ask<HistoryReply>("GET", `history?${query}`);
}

/**
 * Lines of the log, newest first: those before a place, or that one and those before it, or the newest. Rejects with a ConsoleError:
 * `resource_not_found` for a line that is no longer there.
 */
export function readLog(
  { level, target, q }: LogArgs,
  { limit, before, at }: { readonly limit: number; readonly before?: string; readonly at?: string },
): Promise<LogReply> {
  const query = new URLSearchParams({ level, target, q, limit: String(limit) });
  if (before !== undefined) query.set("before", before);
  if (at !== undefined) query.set("at", at);
  return ask<LogReply>("GET", `log?${query}`);
}

/** The settings of the broker, and the certificates that it shows. Rejects with a ConsoleError. */
export function readConfig(): Promise<ConfigReply> {
  return ask<ConfigReply>("GET", "config");
}

/** Who is signed in. Rejects with a ConsoleError. */
export function currentSession(): Promise<ConsoleSession> {
  return ask<ConsoleSession>("GET", "session");
}

/** Rejects with a ConsoleError: `invalid_credentials`, `resource_not_found` for a token, `cannot_establish_connection`. */
export function signIn(how: ConsoleSignIn): Promise<ConsoleSession> {
  return ask<ConsoleSession>("POST", "session", how);
}

/** Ends the session in every window. Rejects with a ConsoleError. */
export async function signOut(): Promise<void> {
  await request("DELETE", "session");
}

/** Cuts the connection of a client. Rejects with a ConsoleError: `client_not_found` for one that is gone, `unauthorized`. */
export async function disconnectClient(clientId: number): Promise<void> {
  await request("DELETE", `clients/${clientId}`);
}
