// The header of the PROXY protocol, versions 1 and 2: a load balancer writes before the bytes of a connection whose they are.
// https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt; the numbers of sections below are its.
import { isIP } from "node:net";
import type { ListenAddress } from "../../config/address.ts";
import { proxyV1Signature, proxyV2Signature } from "../../protocol/foreign-protocol.ts";

export interface ProxyHeader {
  /** Undefined: the connection is the balancer's own, or of a kind that has no IP address. */
  readonly source: ListenAddress | undefined;
  readonly sizeBytes: number;
}

/** The bytes are no header of the PROXY protocol; the message says why. */
export class ProxyHeaderError extends Error {
  override readonly name = "ProxyHeaderError";
}

/** With its line end (2.1). */
const lineBytesMax = 107;
/** What senders add behind the addresses are some hundred bytes. */
const v2BytesMax = 4096;
const v2HeadBytes = 16;
const version2 = 2;
const Command = { local: 0, proxy: 1 } as const;
/** Family and transport (2.2), and the bytes of an address. */
const tcp4 = { code: 0x11, addressBytes: 4 } as const;
const tcp6 = { code: 0x21, addressBytes: 16 } as const;

/** Reads the header at the start of all that has arrived; `more`: it is not whole. Throws `ProxyHeaderError`. */
export function readProxyHeader(bytes: Uint8Array): ProxyHeader | "more" {
  if (beginsWith(bytes, proxyV2Signature)) return readVersion2(bytes);
  if (beginsWith(bytes, proxyV1Signature)) return readVersion1(bytes);
  throw new ProxyHeaderError("there is none");
}

/** As far as both go. */
function beginsWith(bytes: Uint8Array, signature: readonly number[]): boolean {
  return signature.every((expected, index) => index >= bytes.length || bytes[index] === expected);
}

function readVersion1(bytes: Uint8Array): ProxyHeader | "more" {
  const end = bytes.subarray(0, lineBytesMax).indexOf(0x0a);
  if (end < 0) {
    if (bytes.length >= lineBytesMax) throw new ProxyHeaderError("its line is too long");
    return "more";
  }
  const sizeBytes = end + 1;
  const line = String.fromCharCode(...bytes.subarray(0, sizeBytes));
  if (!line.endsWith("\r\n")) throw new ProxyHeaderError("its line does not end as one");
  const [, family, host = "", target = "", port = "", targetPort = "", ...rest] = line.slice(0, -2).split(" ");
  if (family === "UNKNOWN") return { source: undefined, sizeBytes };
  const version = family === "TCP4" ? 4 : family === "TCP6" ? 6 : undefined;
  if (version === undefined) throw new ProxyHeaderError("its family is none of TCP4, TCP6 and UNKNOWN");
  if (isIP(host) !== version || isIP(target) !== version) throw new ProxyHeaderError("an address is not of its family");
  if (!isPort(port) || !isPort(targetPort) || rest.length > 0)
    throw new ProxyHeaderError("its ports are not two ports");
  return { source: { host, port: Number(port) }, sizeBytes };
}

function isPort(text: string): boolean {
  return /^(?:0|[1-9]\d{0,4})$/.test(text) && Number(text) <= 0xffff;
}

function readVersion2(bytes: Uint8Array): ProxyHeader | "more" {
  if (bytes.length < v2HeadBytes) return "more";
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const versionAndCommand = bytes[12]!;
  const command = versionAndCommand & 0xf;
  const sizeBytes = v2HeadBytes + view.getUint16(14);
  if (versionAndCommand >> 4 !== version2) throw new ProxyHeaderError("its version is not 2");
  if (command !== Command.local && command !== Command.proxy) throw new ProxyHeaderError("its command is unknown");
  if (sizeBytes > v2BytesMax) throw new ProxyHeaderError("it is too long");
  const family = [tcp4, tcp6].find(({ code }) => code === bytes[13]);
  const hasAddress = command === Command.proxy && family !== undefined;
  const portsPosition = v2HeadBytes + 2 * (family?.addressBytes ?? 0);
  if (hasAddress && portsPosition + 4 > sizeBytes) throw new ProxyHeaderError("it is too short for its addresses");
  if (bytes.length < sizeBytes) return "more";
  if (!hasAddress) return { source: undefined, sizeBytes };
  const address = bytes.subarray(v2HeadBytes, v2HeadBytes + family.addressBytes);
  return { source: { host: hostOf(address), port: view.getUint16(portsPosition) }, sizeBytes };
}

function hostOf(address: Uint8Array): string {
  if (address.length === tcp4.addressBytes) return address.join(".");
  const groups = Array.from({ length: 8 }, (_, index) =>
    ((address[2 * index]! << 8) | address[2 * index + 1]!).toString(16),
  );
  // The shortest spelling, as the runtime has it for sockets.
  return new URL(`http://[${groups.join(":")}]`).hostname.slice(1, -1);
}
