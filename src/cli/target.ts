// Which server a command talks to, and who is meant to log in there. First found wins: options, the environment, the context.

import type { Context } from "./contexts.ts";
import { type GlobalOptions, isOn, type TransportName } from "./global-options.ts";
import { UsageError } from "./usage-error.ts";

export interface Target {
  /** A connection string without credentials. */
  readonly url: string;
  readonly transport: TransportName;
  /** `host:port`. */
  readonly address: string;
  /** What stood before the @ of the connection string. */
  readonly login: UrlLogin | undefined;
  /** The connection string is that of the context, and not of this command. */
  readonly isOfContext: boolean;
  /** Of QUIC: the name that the certificate must have. */
  readonly quic: { readonly serverName: string | undefined };
}

export type UrlLogin =
  | { readonly username: string; readonly password: string | undefined }
  | { readonly token: string };

const defaultPorts: Readonly<Record<TransportName, number>> = { tcp: 8090, quic: 8080, http: 3000, ws: 8092 };

const transportsByScheme: ReadonlyMap<string, TransportName> = new Map([
  ["iggy", "tcp"],
  ["iggy+tcp", "tcp"],
  ["iggy+tls", "tcp"],
  ["iggy+quic", "quic"],
  ["iggy+ws", "ws"],
  ["iggy+wss", "ws"],
  ["ws", "ws"],
  ["wss", "ws"],
  ["iggy+http", "http"],
  ["iggy+https", "http"],
  ["http", "http"],
  ["https", "http"],
]);

/** Longer than any name of a user: a token. */
const userNameBytesMax = 50;

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a raw `%`, which the Rust SDK does not decode either
  }
}

function loginOf(text: string): UrlLogin {
  const colon = text.indexOf(":");
  if (colon >= 0) return { username: decoded(text.slice(0, colon)), password: decoded(text.slice(colon + 1)) };
  const name = decoded(text);
  return name.length > userNameBytesMax ? { token: name } : { username: name, password: undefined };
}

/** A connection string in its parts. UsageError, without the password, for what is none. */
export function splitUrl(given: string): Pick<Target, "url" | "transport" | "address" | "login"> {
  const [, scheme = "", rest = ""] = /^([a-z+]+):\/\/(.+)$/s.exec(given) ?? [];
  const transport = transportsByScheme.get(scheme);
  if (transport === undefined) {
    const start = scheme === "" ? "it" : `"${scheme}:"`;
    throw new UsageError(
      `a connection string looks like iggy://HOST:8090, with iggy+tls:, iggy+ws:, iggy+http: or iggy+quic: for others; ${start} does not`,
    );
  }
  const at = rest.lastIndexOf("@");
  const place = rest.slice(at + 1);
  const host = place.split(/[/?]/, 1)[0] ?? "";
  return {
    url: `${scheme}://${place}`,
    transport,
    address: /:\d+$/.test(host) ? host : `${host}:${defaultPorts[transport]}`,
    login: at < 1 ? undefined : loginOf(rest.slice(0, at)),
  };
}

/** `splitUrl`, of a value that the user does not see in the command line: what is wrong begins with its name. */
function splitNamed(name: string, url: string): ReturnType<typeof splitUrl> {
  try {
    return splitUrl(url);
  } catch (error) {
    throw error instanceof UsageError ? new UsageError(`${name}: ${error.message}`) : error;
  }
}

/** The address without the credentials of a connection string, as far as it is one. */
export function withoutLogin(url: string): string {
  return url.replace(/^([a-z+]+:\/\/)[^/]*@/, "$1");
}

/** Keys of the original's options and contexts that say where to connect. */
type Place = Pick<
  Context,
  | "transport"
  | "tcp_server_address"
  | "tcp_tls_enabled"
  | "tcp_tls_domain"
  | "http_api_url"
  | "quic_server_address"
  | "websocket_server_address"
>;

/** The connection string of a place, as the original would find it. */
export function urlOfPlace(place: Place): string {
  switch (place.transport ?? "tcp") {
    case "http":
      return (place.http_api_url ?? "http://localhost:3000").replace(/^http/, "iggy+http");
    case "ws":
      return `iggy+ws://${place.websocket_server_address ?? "127.0.0.1:8092"}`;
    case "quic":
      return `iggy+quic://${place.quic_server_address ?? "127.0.0.1:8080"}`;
    case "tcp": {
      const scheme = place.tcp_tls_enabled ? "iggy+tls" : "iggy";
      const domain = place.tcp_tls_domain === undefined ? "" : `?tls_domain=${place.tcp_tls_domain}`;
      return `${scheme}://${place.tcp_server_address ?? "127.0.0.1:8090"}${place.tcp_tls_enabled ? domain : ""}`;
    }
    default:
      throw new UsageError(`the transport "${place.transport}" is not one of tcp, quic, http, ws`);
  }
}

function definedOnly<T extends object>(value: T): Partial<T> {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined)) as Partial<T>;
}

/** Where options say to connect, in the keys of a context. */
export function placeOf(options: Partial<GlobalOptions>): Place {
  const isTls = isOn(options.tcpTlsEnabled);
  return definedOnly({
    transport: options.transport,
    tcp_server_address: options.tcpServerAddress,
    tcp_tls_enabled: isTls,
    tcp_tls_domain: options.tcpTlsDomain,
    http_api_url: options.httpApiUrl,
    quic_server_address: options.quicServerAddress,
    websocket_server_address: options.websocketServerAddress,
  }) as Place;
}

/** `environmentUrl`: WHIPPET_URL. */
export function targetOf(options: GlobalOptions, environmentUrl: string | undefined, context: Context): Target {
  const place = placeOf(options);
  const isPlaced = Object.keys(place).length > 0;
  const given = options.url ?? (isPlaced ? undefined : environmentUrl || undefined);
  const ofContext = given === undefined && !isPlaced ? context.url : undefined;
  const url =
    given ??
    ofContext ??
    urlOfPlace({ ...(isPlaced && context.url !== undefined ? placeOfUrl(context.url) : context), ...place });
  const isOfEnvironment = given !== undefined && options.url === undefined;
  return {
    ...(isOfEnvironment ? splitNamed("WHIPPET_URL", url) : splitUrl(url)),
    isOfContext: ofContext !== undefined,
    quic: { serverName: options.quicServerName ?? context.quic_server_name },
  };
}

/** The host of a context's connection string, for another transport that an option names, at that one's own port. */
function placeOfUrl(url: string): Place {
  const { address, transport } = splitUrl(url);
  const host = address.replace(/:\d+$/, "");
  const at = (name: TransportName) => (name === transport ? address : `${host}:${defaultPorts[name]}`);
  return {
    transport,
    tcp_server_address: at("tcp"),
    http_api_url: `http://${at("http")}`,
    quic_server_address: at("quic"),
    websocket_server_address: at("ws"),
  };
}
