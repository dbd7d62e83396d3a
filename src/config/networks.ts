// Lists of addresses and networks in the configuration.
import { BlockList, isIP } from "node:net";

/** Reads addresses, and networks such as 10.0.0.0/8. Undefined: an entry is neither. */
export function parseNetworks(entries: readonly string[]): BlockList | undefined {
  const networks = new BlockList();
  for (const entry of entries) {
    const [, host = "", prefix] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(entry) ?? [];
    const version = isIP(host);
    const bits = version === 4 ? 32 : 128;
    if (version === 0 || Number(prefix ?? bits) > bits) return undefined;
    networks.addSubnet(host, Number(prefix ?? bits), version === 4 ? "ipv4" : "ipv6");
  }
  return networks;
}

/** Whether the address of a socket is in one of them; also an IPv4 address as a listener for both families shows it. */
export function isInNetworks(networks: BlockList, host: string): boolean {
  const address = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(host)?.[1] ?? host;
  return networks.check(address, isIP(address) === 6 ? "ipv6" : "ipv4");
}
