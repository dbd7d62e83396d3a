// How many bytes have arrived on a TCP connection, as the system counts them: the runtime keeps a message until it is whole,
// and says nothing of it before. A connection is known by its two ends, since the runtime tells no descriptors.
import { ptr } from "bun:ffi";
import { readdirSync } from "node:fs";
import { native } from "./ffi.ts";

type SystemCalls = NonNullable<typeof native>;

const tcpLevel = 6;
const tcpInformation = 11;
/** Place of `tcpi_bytes_received` in `struct tcp_info`, which has it since Linux 4.1. */
const bytesReceivedPosition = 128;
const informationBytesMax = 256;
/** Any address fits. */
const addressBytesMax = 128;
const family = { ipv4: 2, ipv6: 10 } as const;

const address = new Uint8Array(addressBytesMax);
const information = new Uint8Array(informationBytesMax);
const informationView = new DataView(information.buffer);
const sizeBytes = new Uint32Array(1);

/** Of the connections to one port of this process. */
export class ReceivedBytes {
  readonly #port: number;
  /** Descriptors by the other end, as far as they were looked for. */
  #descriptors = new Map<string, number>();

  constructor(port: number) {
    this.#port = port;
  }

  /**
   * By the other end, `ip:port` or `[ip]:port`. Those that cannot be found are missing: they are gone, or this is no Linux.
   * Descriptors are looked for only when one of these is not known yet.
   */
  of(addresses: Iterable<string>): Map<string, number> {
    const calls = native;
    const found = new Map<string, number>();
    if (calls === undefined) return found;
    let hasLooked = false;
    for (const peer of addresses) {
      const key = canonical(peer);
      if (!this.#isOpen(calls, key) && !hasLooked) {
        this.#look(calls);
        hasLooked = true;
      }
      const fd = this.#descriptors.get(key);
      const received = fd === undefined ? undefined : receivedBy(calls, fd);
      if (received !== undefined) found.set(peer, received);
    }
    return found;
  }

  /** A descriptor may mean another connection by now. */
  #isOpen(calls: SystemCalls, key: string): boolean {
    const fd = this.#descriptors.get(key);
    return fd !== undefined && peerOf(calls, fd) === key;
  }

  #look(calls: SystemCalls): void {
    this.#descriptors = new Map();
    for (const name of readdirSync("/proc/self/fd")) {
      const fd = Number(name);
      if (ownPort(calls, fd) !== this.#port) continue;
      const peer = peerOf(calls, fd);
      if (peer !== undefined) this.#descriptors.set(peer, fd);
    }
  }
}

function receivedBy(calls: SystemCalls, fd: number): number | undefined {
  sizeBytes[0] = informationBytesMax;
  if (calls.getsockopt(fd, tcpLevel, tcpInformation, ptr(information), ptr(sizeBytes)) < 0) return undefined;
  if ((sizeBytes[0] ?? 0) < bytesReceivedPosition + 8) return undefined;
  return Number(informationView.getBigUint64(bytesReceivedPosition, true));
}

/** Undefined for what is no socket of the internet. */
function ownPort(calls: SystemCalls, fd: number): number | undefined {
  sizeBytes[0] = addressBytesMax;
  if (calls.getsockname(fd, ptr(address), ptr(sizeBytes)) < 0) return undefined;
  const kind = address[0] ?? 0;
  return kind === family.ipv4 || kind === family.ipv6 ? portIn(address) : undefined;
}

function portIn(bytes: Uint8Array): number {
  return ((bytes[2] ?? 0) << 8) | (bytes[3] ?? 0);
}

/** The other end of a socket; undefined where there is none. */
function peerOf(calls: SystemCalls, fd: number): string | undefined {
  sizeBytes[0] = addressBytesMax;
  if (calls.getpeername(fd, ptr(address), ptr(sizeBytes)) < 0) return undefined;
  const port = portIn(address);
  if (address[0] === family.ipv4) return `${address.subarray(4, 8).join(".")}:${port}`;
  if (address[0] !== family.ipv6) return undefined;
  const groups = Array.from({ length: 8 }, (_, index) =>
    (((address[8 + 2 * index] ?? 0) << 8) | (address[9 + 2 * index] ?? 0)).toString(16),
  );
  return canonical(`[${groups.join(":")}]:${port}`);
}

/** One spelling for each end: of IPv6 the shortest, of IPv4 the dotted one, also where it comes inside IPv6. */
function canonical(peer: string): string {
  if (!peer.startsWith("[")) return peer;
  const end = peer.lastIndexOf("]");
  const host = URL.parse(`http://[${peer.slice(1, end).split("%")[0]}]`)?.hostname ?? peer;
  const mapped = /^\[::ffff:([0-9a-f]+):([0-9a-f]+)\]$/.exec(host);
  if (mapped === null) return host + peer.slice(end + 1);
  const [high, low] = [Number.parseInt(mapped[1] ?? "", 16), Number.parseInt(mapped[2] ?? "", 16)];
  return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}${peer.slice(end + 1)}`;
}
