// Whose doing a login is. An address is too small: one customer has 2^64 of IPv6, and of IPv4 often a few neighbours.

/** Every address of this machine to itself. */
const loopback = "loopback";
const groupsOfAddress = 8;
const groupsOfNetwork = 4;

/** The host of `ip:port` or `[ip]:port`, without brackets. */
export function hostOf(address: string): string {
  const host = address.slice(0, Math.max(0, address.lastIndexOf(":")));
  return host.startsWith("[") && host.endsWith("]") ? host.slice(1, -1) : host;
}

/** The network of a host: IPv4 by its first 24 bits, IPv6 by its first 64; the loopback addresses of both are one. */
export function networkOf(host: string): string {
  const [address = ""] = host.toLowerCase().split("%");
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(address)?.[1];
  if (mapped !== undefined) return networkOf(mapped);
  if (address === "::1") return loopback;
  if (address.includes(":")) return `${firstGroups(address).join(":")}::/64`;
  if (address.startsWith("127.")) return loopback;
  const lastDot = address.lastIndexOf(".");
  return lastDot < 0 ? address : `${address.slice(0, lastDot)}.0/24`;
}

/** Whose a connection is: an IPv4 address, or the first 64 bits of an IPv6 address, which are one customer's. */
export function sourceOf(address: string): string {
  const host = hostOf(address);
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(host)?.[1];
  return mapped ?? (host.includes(":") ? networkOf(host) : host);
}

/** The first 64 bits of an IPv6 address in one spelling, whatever is left out. */
function firstGroups(address: string): string[] {
  const [head = "", tail] = address.split("::");
  const before = head === "" ? [] : head.split(":");
  const after = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = new Array<string>(Math.max(0, groupsOfAddress - before.length - after.length)).fill("0");
  const groups = tail === undefined ? before : [...before, ...zeros, ...after];
  return groups.slice(0, groupsOfNetwork).map((group) => group.replace(/^0+(?=.)/, ""));
}
