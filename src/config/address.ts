// Listener addresses: a literal IP and a port, or for plain HTTP any host (spec SB 1.1).
import { isIP } from "node:net";

/** A parsed listener address. */
export interface ListenAddress {
  /** Without the brackets of an IPv6 literal. */
  readonly host: string;
  readonly port: number;
}

/** Reads `host:port` or `[::1]:port`; undefined when it is neither. */
export function parseListenAddress(text: string): ListenAddress | undefined {
  const match = /^(?:\[([^[\]]+)\]|([^:[\]\s]+)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port > 0xffff) return undefined;
  if (match[1] !== undefined) return isIP(match[1]) === 6 ? { host: match[1], port } : undefined;
  return { host: match[2] ?? "", port };
}

/** True when the address' host is a literal IP, as every listener except plain HTTP needs. */
export function isIpAddress(address: ListenAddress): boolean {
  return isIP(address.host) !== 0;
}

/** The text form, with brackets around IPv6. */
export function formatListenAddress(address: ListenAddress): string {
  return isIP(address.host) === 6 ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}

/** Names that RFC 6761 6.3 keeps for the own machine. */
export function isLoopbackName(name: string): boolean {
  return /^(?:.+\.)?localhost\.?$/i.test(name);
}

/** Whether a listener at this host can be reached from the own machine only. */
export function isLoopbackHost(host: string): boolean {
  return host === "::1" || isLoopbackName(host) || (isIP(host) === 4 && host.startsWith("127."));
}
