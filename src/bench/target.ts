// Where the actors connect to and how.

import type { ClientTlsOptions } from "../client/index.bun.ts";

export const transports = ["tcp", "tls", "websocket", "wss", "quic", "http", "https"] as const;
export type Transport = (typeof transports)[number];

/** Ports of a server with the default configuration. */
export const defaultPorts: Readonly<Record<Transport, number>> = {
  tcp: 8090,
  tls: 8090,
  websocket: 8092,
  wss: 8092,
  quic: 8080,
  http: 3000,
  https: 3000,
};

/** Plain data, so that it travels to the actor processes. */
export type Target = {
  /** Not `quic`: its actors speak TCP with a relay. */
  readonly transport: Exclude<Transport, "quic">;
  readonly host: string;
  readonly port: number;
  /** For `tls`, `wss` and `https`. */
  readonly tls: ClientTlsOptions;
  readonly username: string;
  readonly password: string;
};

const encrypted: ReadonlySet<Transport> = new Set(["tls", "wss", "https", "quic"]);

/** Whether the transport checks a certificate. */
export function isEncrypted(transport: Transport): boolean {
  return encrypted.has(transport);
}

/** Whether the transport is the JSON API, which has no groups. */
export function isHttp(transport: Transport): boolean {
  return transport === "http" || transport === "https";
}

/** `scheme://host:port`. */
export function urlOf(scheme: string, { host, port }: Pick<Target, "host" | "port">): string {
  return `${scheme}://${host.includes(":") ? `[${host}]` : host}:${port}`;
}

const schemes: Readonly<Record<Target["transport"], string>> = {
  tcp: "iggy",
  tls: "iggy+tls",
  websocket: "iggy+ws",
  wss: "iggy+wss",
  http: "iggy+http",
  https: "iggy+https",
};

/** Scheme of the client's connection strings. */
export function schemeOf(transport: Target["transport"]): string {
  return schemes[transport];
}
