// What the system says of a socket of the internet, by its descriptor.
import { ptr } from "bun:ffi";
import type { native } from "./ffi.ts";

export type SystemCalls = NonNullable<typeof native>;

const tcpLevel = 6;
const tcpInformation = 11;
/** Places in `struct tcp_info`; `tcpi_bytes_received` is there since Linux 4.1. */
const position = { lastDataSentMs: 44, lastDataReceivedMs: 52, bytesReceived: 128 } as const;
const informationBytesMax = 256;
/** Any address fits. */
const addressBytesMax = 128;
const family = { ipv4: 2, ipv6: 10 } as const;

// Over buffers of their own these stay where they are, so that their places are asked for once.
const address = new Uint8Array(new ArrayBuffer(addressBytesMax));
const information = new Uint8Array(new ArrayBuffer(informationBytesMax));
const informationView = new DataView(information.buffer);
const sizeBytes = new Uint32Array(new ArrayBuffer(4));
const at = { address: ptr(address), information: ptr(information), sizeBytes: ptr(sizeBytes) } as const;

/** Of a connection, as the system counts it. */
export interface Traffic {
  /** For how long nothing has come or gone. */
  readonly idleMs: number;
  /** Since it was made. */
  readonly receivedBytes: number;
}

/** Undefined where the system does not say. */
export function trafficOf(calls: SystemCalls, fd: number): Traffic | undefined {
  if (!readInformation(calls, fd)) return undefined;
  const sentMs = informationView.getUint32(position.lastDataSentMs, true);
  const receivedMs = informationView.getUint32(position.lastDataReceivedMs, true);
  const receivedBytes = Number(informationView.getBigUint64(position.bytesReceived, true));
  return { idleMs: Math.min(sentMs, receivedMs), receivedBytes };
}

function readInformation(calls: SystemCalls, fd: number): boolean {
  sizeBytes[0] = informationBytesMax;
  if (calls.getsockopt(fd, tcpLevel, tcpInformation, at.information, at.sizeBytes) < 0) return false;
  return (sizeBytes[0] ?? 0) >= position.bytesReceived + 8;
}

/** Undefined for what is no socket of the internet. */
export function ownPort(calls: SystemCalls, fd: number): number | undefined {
  sizeBytes[0] = addressBytesMax;
  if (calls.getsockname(fd, at.address, at.sizeBytes) < 0) return undefined;
  const kind = address[0] ?? 0;
  return kind === family.ipv4 || kind === family.ipv6 ? portIn(address) : undefined;
}

function portIn(bytes: Uint8Array): number {
  return ((bytes[2] ?? 0) << 8) | (bytes[3] ?? 0);
}

/** The other end of a socket; undefined where there is none. */
export function peerOf(calls: SystemCalls, fd: number): string | undefined {
  sizeBytes[0] = addressBytesMax;
  if (calls.getpeername(fd, at.address, at.sizeBytes) < 0) return undefined;
  const port = portIn(address);
  if (address[0] === family.ipv4) return `${address.subarray(4, 8).join(".")}:${port}`;
  if (address[0] !== family.ipv6) return undefined;
  const groups = Array.from({ length: 8 }, (_, index) =>
    (((address[8 + 2 * index] ?? 0) << 8) | (address[9 + 2 * index] ?? 0)).toString(16),
  );
  return canonical(`[${groups.join(":")}]:${port}`);
}

/** One spelling for each end: of IPv6 the shortest, of IPv4 the dotted one, also where it comes inside IPv6. */
export function canonical(peer: string): string {
  if (!peer.startsWith("[")) return peer;
  const end = peer.lastIndexOf("]");
  const host = URL.parse(`http://[${peer.slice(1, end).split("%")[0]}]`)?.hostname ?? peer;
  const mapped = /^\[::ffff:([0-9a-f]+):([0-9a-f]+)\]$/.exec(host);
  if (mapped === null) return host + peer.slice(end + 1);
  const [high, low] = [Number.parseInt(mapped[1] ?? "", 16), Number.parseInt(mapped[2] ?? "", 16)];
  return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}${peer.slice(end + 1)}`;
}
