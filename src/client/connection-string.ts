// Connection strings: `iggy://user:password@host:8090?tls=true`, as the Rust SDK reads them (iggy.apache.org/docs/sdk/connection-strings),
// and a little more: schemes with TLS, percent-encoded characters, IPv6 addresses, no port, no credentials.

import { IggyError } from "../protocol/errors.ts";
import { nearestName } from "../protocol/nearest-name.ts";
import { parseDurationMs } from "./duration.ts";

export type Credentials = { readonly username: string; readonly password: string } | { readonly token: string };

export type TransportName = "tcp" | "websocket" | "http";

/** What a connection string says; what it leaves out is undefined. */
export type ConnectionString = {
  readonly scheme: string;
  readonly transport: TransportName;
  /** Without the brackets of IPv6. */
  readonly host: string;
  readonly port: number;
  readonly credentials: Credentials | undefined;
  /** Undefined: no TLS. */
  readonly tls: TlsSettings | undefined;
  readonly heartbeatMs: number | undefined;
  /** Attempts after a lost connection; undefined or Infinity: as many as fit. 0: none. */
  readonly reconnectAttemptsMax: number | undefined;
  readonly reconnectIntervalMs: number | undefined;
  /** The string without password or token. */
  readonly printed: string;
};

export type TlsSettings = {
  /** Name that the certificate must have; the host if undefined. */
  readonly serverName: string | undefined;
  /** Path of a file with certificates that are trusted. */
  readonly caFile: string | undefined;
  readonly verify: boolean;
};

type Scheme = { readonly transport: TransportName; readonly isTls: boolean };

const ports: Readonly<Record<TransportName, number>> = { tcp: 8090, websocket: 8092, http: 3000 };

const schemes: ReadonlyMap<string, Scheme> = new Map<string, Scheme>(
  (
    [
      ["tcp", "iggy iggy+tcp", "iggy+tls"],
      ["websocket", "iggy+ws ws", "iggy+wss wss"],
      ["http", "iggy+http http", "iggy+https https"],
    ] as const
  ).flatMap(([transport, plain, tls]) => [
    ...plain.split(" ").map((name) => [name, { transport, isTls: false }] as const),
    ...tls.split(" ").map((name) => [name, { transport, isTls: true }] as const),
  ]),
);

type Check = (value: string) => boolean;
const isText: Check = () => true;
const isBoolean: Check = (value) => value === "true" || value === "false";
const isNumber: Check = (value) => /^\d+$/.test(value) && Number(value) < 2 ** 53;
const isCount: Check = (value) => value === "unlimited" || (isNumber(value) && Number(value) < 2 ** 32);
const isDuration: Check = (value) => parseDurationMs(value) !== undefined;

const common = { tls: isBoolean, tls_domain: isText, tls_ca_file: isText, tls_validate_certificate: isBoolean };
const reconnecting = {
  heartbeat_interval: isDuration,
  reconnection_retries: isCount,
  reconnection_max_retries: isCount,
  reconnection_interval: isDuration,
  reestablish_after: isDuration,
};

/**
 * Every option of the Rust SDK. Sizes of buffers, `nodelay`, `reestablish_after` and `retries` are only checked: buffers are the
 * runtime's, small packets never wait here, pauses and repeats are the client's own.
 */
const options: Readonly<Record<TransportName, Readonly<Record<string, Check>>>> = {
  tcp: { ...common, ...reconnecting, nodelay: isBoolean },
  websocket: {
    ...common,
    ...reconnecting,
    read_buffer_size: isNumber,
    write_buffer_size: isNumber,
    max_write_buffer_size: isNumber,
    max_message_size: isNumber,
    max_frame_size: isNumber,
    accept_unmasked_frames: isBoolean,
  },
  http: { ...common, heartbeat_interval: isDuration, retries: isNumber },
};

/** Percent-encoded characters as themselves; what is not well encoded is taken as it stands. */
function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a raw `%`, as in passwords that were made for the Rust SDK, which does not decode
  }
}

/** The string with nothing secret in it. */
function withoutSecrets(url: string): string {
  const start = url.indexOf("://") + 3;
  const end = url.lastIndexOf("@");
  if (start < 3) return end < 0 ? url : `***${url.slice(end)}`;
  if (end < start) return url;
  const colon = url.slice(start, end).indexOf(":");
  const user = colon < 0 ? "" : url.slice(start, start + colon + 1);
  return `${url.slice(0, start)}${user}***${url.slice(end)}`;
}

function credentialsOf(text: string, fail: (why: string) => never): Credentials {
  const colon = text.indexOf(":");
  if (colon < 0) return text === "" ? fail("nothing stands before the @") : { token: percentDecoded(text) };
  const username = percentDecoded(text.slice(0, colon));
  const password = percentDecoded(text.slice(colon + 1));
  if (username === "" || password === "") return fail("user name or password is empty");
  return { username, password };
}

function addressOf(text: string, defaultPort: number, fail: (why: string) => never) {
  const match = /^(?:\[([0-9a-fA-F:.%]+)\]|([^:[\]/\s]+))(?::(\d{1,5}))?\/?$/.exec(text);
  if (match === null) return fail("the address is not `host`, `host:port` or `[IPv6]:port`");
  const [, ipv6, name = "", portText] = match;
  const port = portText === undefined ? defaultPort : Number(portText);
  if (port < 1 || port > 65_535) return fail(`the port ${port} is not 1 to 65535`);
  return { host: ipv6 ?? name, port };
}

function optionsOf(text: string | undefined, known: Readonly<Record<string, Check>>, fail: (why: string) => never) {
  const found = new Map<string, string>();
  for (const option of text === undefined || text === "" ? [] : text.split("&")) {
    const [name = "", value, ...more] = option.split("=");
    if (!Object.hasOwn(known, name)) {
      return fail(`the option "${name}" is unknown; did you mean "${nearestName(name, Object.keys(known))}"?`);
    }
    if (value === undefined || more.length > 0) return fail(`the option "${name}" is not written as name=value`);
    const decoded = percentDecoded(value);
    if (known[name]?.(decoded) !== true) return fail(`the option "${name}" cannot be "${decoded}"`);
    found.set(name === "reconnection_max_retries" ? "reconnection_retries" : name, decoded);
  }
  return found;
}

function schemeOf(name: string, more: readonly string[], fail: (why: string) => never): Scheme {
  const scheme = schemes.get(name);
  if (scheme !== undefined) return scheme;
  if (more.includes(name)) return { transport: "tcp", isTls: false };
  if (name === "iggy+quic") throw new IggyError("FeatureUnavailable");
  return fail(`the scheme "${name}:" is unknown; did you mean "${nearestName(name, [...schemes.keys()])}:"?`);
}

/**
 * Reads a connection string. The last `@` ends the credentials: one in an option is written as `%40`. Of an option that stands there
 * twice the last one counts. TypeError, without the password, for what cannot be read; FeatureUnavailable (5) for
 * `iggy+quic:`, as no runtime has a stable QUIC client. `moreSchemes`: of transports that a program brings along, with
 * the options of TCP.
 */
export function parseConnectionString(url: string, moreSchemes: readonly string[] = []): ConnectionString {
  const printed = withoutSecrets(url);
  const fail = (why: string): never => {
    throw new TypeError(`${printed}: ${why}`);
  };
  const schemeEnd = url.indexOf("://");
  if (schemeEnd < 0) fail("a connection string begins with a scheme, as in iggy://localhost:8090");
  const scheme = url.slice(0, schemeEnd);
  const { transport, isTls } = schemeOf(scheme, moreSchemes, fail);
  const rest = url.slice(schemeEnd + 3);
  const at = rest.lastIndexOf("@");
  const [address = "", query, ...more] = rest.slice(at + 1).split("?");
  if (more.length > 0) fail("it has two question marks");
  const found = optionsOf(query, options[transport], fail);

  const duration = (name: string) => {
    const value = found.get(name);
    return value === undefined ? undefined : parseDurationMs(value);
  };
  const retries = found.get("reconnection_retries");
  const tls = {
    serverName: found.get("tls_domain") || undefined,
    caFile: found.get("tls_ca_file") || undefined,
    verify: found.get("tls_validate_certificate") !== "false",
  };
  return {
    scheme,
    transport,
    ...addressOf(address, ports[transport], fail),
    credentials: at < 0 ? undefined : credentialsOf(rest.slice(0, at), fail),
    tls: isTls || found.get("tls") === "true" ? tls : undefined,
    heartbeatMs: duration("heartbeat_interval"),
    reconnectAttemptsMax: retries === undefined || retries === "unlimited" ? undefined : Number(retries),
    reconnectIntervalMs: duration("reconnection_interval"),
    printed,
  };
}
