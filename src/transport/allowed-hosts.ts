// By which names a browser may reach the broker. A page can give its own host name the broker's address (DNS rebinding): then
// page and broker are one host to the browser, and no cross-origin rule holds. What gives it away is the name in the Host
// header. Only names can be rebound, so an address is always allowed, and so is a request without a host: no browser sends one.
import { isIP } from "node:net";
import { isLoopbackName } from "../config/address.ts";

export interface HostRules {
  /** The listener has a loopback address: only programs of this machine reach it, and they do so by few names. */
  readonly isLoopback: boolean;
  /** `http.allowed_hosts`: names, with or without a port. */
  readonly allowedHosts: readonly string[];
}

/** `host`: the Host header of a request. */
export function isAllowedHost(host: string | null, { isLoopback, allowedHosts }: HostRules): boolean {
  if (host === null || host === "") return true;
  if (!isLoopback && allowedHosts.length === 0) return true;
  const url = URL.parse(`http://${host}`);
  if (url === null) return false;
  const { hostname } = url;
  if (isIP(hostname.replace(/^\[|\]$/g, "")) !== 0 || isLoopbackName(hostname)) return true;
  return allowedHosts.some((allowed) => [hostname, host.toLowerCase()].includes(allowed.toLowerCase()));
}

/** What a browser, or the person before it, is told. */
export const refusedHostText = "This host name is not allowed; see http.allowed_hosts.\n";
