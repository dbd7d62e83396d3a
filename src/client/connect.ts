// `connect`: from a connection string and options to a client.

import { IggyError } from "../protocol/errors.ts";
import { type Client, openClient } from "./client.ts";
import { type ClientClock, systemClock } from "./clock.ts";
import type { ClientTlsOptions } from "./connection/connection.ts";
import { type CredentialsSource, Logins } from "./connection/logins.ts";
import type { ReconnectPolicy } from "./connection/session.ts";
import type { Transport } from "./connection/transport.ts";
import { type ConnectionString, parseConnectionString } from "./connection-string.ts";
import { loadEngines } from "./consumer/load-engines.ts";
import type { Instrumentation } from "./observe/instrumentation.ts";
import type { Abortable } from "./options.ts";

export type ConnectOptions = Abortable & {
  /** Instead of those of the URL. A function is asked before every login, so that short-lived tokens can be renewed. */
  readonly credentials?: CredentialsSource;
  /** Beside what the URL says; browsers have rules of their own. */
  readonly tls?: ClientTlsOptions;
  /** One attempt with its login (10_000). */
  readonly connectTimeoutMs?: number;
  /** A command, reconnecting included (30_000). */
  readonly requestTimeoutMs?: number;
  /** How long the first attempt is repeated (0: not). */
  readonly waitForServerMs?: number;
  /** Random pauses between attempts, growing from 100 to 5_000; false: a lost connection stays lost. */
  readonly reconnect?: { readonly minMs?: number; readonly maxMs?: number } | false;
  /** Between pings (5_000; 0: none). */
  readonly heartbeatMs?: number;
  /** Hooks for tracing and metrics. */
  readonly instrumentation?: Instrumentation;
  /** Time and timers, for tests that make time pass themselves. */
  readonly clock?: ClientClock;
  /** Added to those of the runtime. */
  readonly transports?: readonly Transport[];
};

const defaults = {
  connectTimeoutMs: 10_000,
  requestTimeoutMs: 30_000,
  waitForServerMs: 0,
  heartbeatMs: 5_000,
  minMs: 100,
  maxMs: 5_000,
} as const;

/** ConnectionError if nobody answers, AuthenticationError, TypeError for a URL that cannot be read. */
export type Connect = (url: string, options?: ConnectOptions) => Promise<Client>;

/** `connect` with the transports of a runtime. */
export function connectWith(own: readonly Transport[]): Connect {
  return async (url, options = {}) => {
    const transports = [...(options.transports ?? []), ...own];
    const where = parseConnectionString(
      url,
      transports.flatMap(({ schemes }) => schemes),
    );
    const transport = transports.find(({ schemes }) => schemes.includes(where.scheme));
    // Written well, but nothing here can carry it: pages have no TCP.
    if (transport === undefined) throw new IggyError("FeatureUnavailable", [], { cause: noTransport(where) });
    const session = {
      printedUrl: where.printed,
      host: where.host,
      port: where.port,
      tls: await tlsOf(where, options.tls),
      transport,
      logins: new Logins(options.credentials ?? where.credentials),
      connectTimeoutMs: options.connectTimeoutMs ?? defaults.connectTimeoutMs,
      requestTimeoutMs: options.requestTimeoutMs ?? defaults.requestTimeoutMs,
      heartbeatMs: options.heartbeatMs ?? where.heartbeatMs ?? defaults.heartbeatMs,
      instrumentation: options.instrumentation ?? {},
      clock: options.clock ?? systemClock,
      reconnect: reconnectOf(where, options.reconnect),
    };
    if (options.clock !== undefined) await loadAll();
    return openClient(session, options.waitForServerMs ?? defaults.waitForServerMs, options.signal);
  };
}

/** Where a program makes time pass, what is loaded when it is asked for would come when that time is over. */
async function loadAll(): Promise<void> {
  await Promise.all([loadEngines(), import("./commands/methods.ts"), import("./topic/ensure-topic.ts")]);
}

function noTransport({ scheme }: ConnectionString): TypeError {
  return new TypeError(`no transport of this runtime carries "${scheme}:"; pages connect by iggy+ws: or iggy+http:`);
}

function reconnectOf(where: ConnectionString, given: ConnectOptions["reconnect"]): ReconnectPolicy | false {
  const attemptsMax = where.reconnectAttemptsMax ?? Number.POSITIVE_INFINITY;
  if (given === false || attemptsMax === 0) return false;
  const minMs = given?.minMs ?? where.reconnectIntervalMs ?? defaults.minMs;
  return { minMs, maxMs: Math.max(minMs, given?.maxMs ?? defaults.maxMs), attemptsMax };
}

async function tlsOf({ tls }: ConnectionString, given: ClientTlsOptions | undefined) {
  if (tls === undefined) return given;
  const { caFile, serverName, verify } = tls;
  const ca = given?.ca ?? (caFile === undefined ? undefined : await readText(caFile));
  return {
    verify,
    ...(serverName === undefined ? {} : { serverName }),
    ...given,
    ...(ca === undefined ? {} : { ca }),
  };
}

/** Of Node and Bun; pages have none. */
type Files = { readFile(path: string, encoding: "utf8"): Promise<string> };
type Runtime = { readonly process?: { getBuiltinModule?(name: "node:fs/promises"): Files } };

/** Without an import, which bundles for browsers would stumble over. */
async function readText(path: string): Promise<string> {
  const files = (globalThis as Runtime).process?.getBuiltinModule?.("node:fs/promises");
  if (files === undefined) throw new TypeError("`tls_ca_file` needs a file system: give `tls: { ca }` instead");
  try {
    return await files.readFile(path, "utf8");
  } catch (cause) {
    throw new TypeError(`the file ${path} of \`tls_ca_file\` cannot be read`, { cause });
  }
}
