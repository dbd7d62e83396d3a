// Whether the addresses that the broker is to listen at are free. The shards share their ports (SO_REUSEPORT), and so would
// another broker that is started by mistake: the system would hand clients to the one or the other by chance, and nobody
// would be told. So each address is bound once without sharing before the first shard listens.
import { type ListenAddress, parseListenAddress } from "../config/address.ts";
import type { Config } from "../config/schema/index.ts";

/** An address that cannot be listened at; the text names transport, address, port and reason, and what to change. */
export class ListenError extends Error {
  override readonly name = "ListenError";
}

/** What QUIC listens at is a datagram port, which its engine does not share: it says itself that it is in use. */
const streamTransports = ["tcp", "websocket", "http"] as const;

const reasons: Readonly<Record<string, string>> = {
  EADDRINUSE: "the address is in use by another program, perhaps by another broker",
  EADDRNOTAVAIL: "this machine does not have that address",
  EACCES: "the system does not allow it; ports below 1024 need the right to bind them",
};

/** Throws `ListenError` for the first transport that is on and whose address cannot be had. Port 0 is always free. */
export function requireFreeAddresses(config: Config): void {
  for (const transport of streamTransports) {
    const address = parseListenAddress(config[transport].address);
    if (config[transport].enabled && address !== undefined && address.port !== 0) bindOnce(transport, address);
  }
}

function bindOnce(transport: string, { host, port }: ListenAddress): void {
  try {
    Bun.listen({ hostname: host, port, exclusive: true, socket: { data() {} } }).stop(true);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unknown error";
    const reason = reasons[code] ?? code;
    throw new ListenError(
      `${transport} cannot listen at ${host} port ${port}: ${reason} (${code}); set ${transport}.address`,
      { cause: error },
    );
  }
}
