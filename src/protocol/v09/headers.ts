// The three headers of the protocol of 0.9 by position (spec P9 2). Each has 256 bytes and may be followed by a body. They are
// read and written on the way of every request, so nothing here makes an object. The caller has made sure that 256 bytes are
// there.

import { readU32 } from "../byte-reader.ts";
import { writeU32 } from "../byte-writer.ts";

/** Size of every header. */
export const headerBytes = 256;

/** Largest frame of the original, header included (spec P9 3). */
export const frameBytesMax = 64 * 1024 * 1024;

/** The byte at `HeaderLayout.command`; every other value is between replicas (spec P9 2.5). */
export const HeaderCommand = { request: 5, reply: 8, eviction: 13 } as const;

/** What all headers have in common (spec P9 2.1). */
export const HeaderLayout = {
  /** 16 bytes; 0 from every client. */
  checksum: 0,
  /** 16 bytes; 0 */
  bodyChecksum: 16,
  /** 16 bytes; 0 from clients. */
  cluster: 32,
  /** u32; header and body together. */
  size: 48,
  /** u32; 0 from clients. */
  view: 52,
  /** u32; 0 */
  release: 56,
  /** u8; `HeaderCommand`. */
  command: 60,
  /** u8; 0 */
  replica: 61,
  /** 66 bytes; 0 */
  reserved: 62,
} as const;

/** Request header (spec P9 2.2). */
export const RequestHeaderLayout = {
  /** 16 bytes; made by the client at random, anew for each login. */
  client: 128,
  /** u128; XXH3-64 of the body, or 0: not given. */
  requestChecksum: 144,
  /** u64; 0 */
  timestamp: 160,
  /** u64; echoed. */
  request: 168,
  /** u8 */
  operation: 176,
  /** u64; 0 before the login and in it. */
  session: 184,
  /** u32; 0, never to be trusted. */
  userId: 192,
  /** u32; command code of operation 2, else 0. */
  code: 196,
} as const;

/** Reply header (spec P9 2.3). */
export const ReplyHeaderLayout = {
  /** u128; echo. */
  requestChecksum: 128,
  /** 16 bytes; 0 */
  context: 144,
  /** 16 bytes; echo. */
  client: 160,
  /** u64; 0 */
  op: 176,
  /** u64; 0 */
  commit: 184,
  /** u64; 0 */
  timestamp: 192,
  /** u64; echo, by which some clients find the caller. */
  request: 200,
  /** u8 */
  operation: 208,
  /** u32; 0 or an error code, then without a body. */
  status: 216,
} as const;

/** Eviction header (spec P9 2.4). */
export const EvictionHeaderLayout = {
  /** 16 bytes, not all 0. */
  client: 128,
  /** u32, packed; 0 but with reason 14. */
  newestVersion: 144,
  /** u32, packed; 0 but with reason 14. */
  oldestVersion: 148,
  /** u8 */
  reason: 255,
} as const;

/** Size of a client id. */
export const clientIdBytes = 16;

const requestChecksumBytes = 16;
const requestNumberBytes = 8;
const sessionBytes = 8;

function isZero(bytes: Uint8Array, start: number, sizeBytes: number): boolean {
  for (let position = start; position < start + sizeBytes; position++) if (bytes[position] !== 0) return false;
  return true;
}

function copy(source: Uint8Array, from: number, target: Uint8Array, to: number, sizeBytes: number): void {
  for (let index = 0; index < sizeBytes; index++) target[to + index] = source[from + index]!;
}

/** Size of the frame, header and body, as its header says. */
export function frameBytesOf(header: Uint8Array, position = 0): number {
  return readU32(header, position + HeaderLayout.size);
}

/** Which header this is: `HeaderCommand`, or a number that no client may send. */
export function headerCommandOf(header: Uint8Array, position = 0): number {
  return header[position + HeaderLayout.command]!;
}

/** Operation of a request header. */
export function operationOf(header: Uint8Array, position = 0): number {
  return header[position + RequestHeaderLayout.operation]!;
}

/** Command code of a request header; means something only with operation 2. */
export function commandCodeOf(header: Uint8Array, position = 0): number {
  return readU32(header, position + RequestHeaderLayout.code);
}

/** Whether a request header names no session. */
export function isSessionZero(header: Uint8Array, position = 0): boolean {
  return isZero(header, position + RequestHeaderLayout.session, sessionBytes);
}

/** Whether a request header names no client, which is against the rules (spec P9 2.2). */
export function isClientZero(header: Uint8Array, position = 0): boolean {
  return isZero(header, position + RequestHeaderLayout.client, clientIdBytes);
}

/** Number of a request, of its session; only where it matters, since this makes a BigInt. */
export function requestNumberOf(header: Uint8Array, position = 0): bigint {
  const start = header.byteOffset + position + RequestHeaderLayout.request;
  return new DataView(header.buffer, start, requestNumberBytes).getBigUint64(0, true);
}

/** Client id of a request header, as a view of the same memory. */
export function clientIdOf(header: Uint8Array, position = 0): Uint8Array {
  const start = position + RequestHeaderLayout.client;
  return header.subarray(start, start + clientIdBytes);
}

/** Whether the client has given a checksum of the body. */
export function hasRequestChecksum(header: Uint8Array, position = 0): boolean {
  return !isZero(header, position + RequestHeaderLayout.requestChecksum, requestChecksumBytes);
}

/** The checksum that the client has given, 128 bits; only where `hasRequestChecksum`, since this makes a BigInt. */
export function requestChecksumOf(header: Uint8Array, position = 0): bigint {
  const start = header.byteOffset + position + RequestHeaderLayout.requestChecksum;
  const view = new DataView(header.buffer, start, requestChecksumBytes);
  return view.getBigUint64(0, true) | (view.getBigUint64(8, true) << 64n);
}

/** What a reply header says that is not taken over from the request. */
export type ReplyHeaderFields = {
  /** The operation to answer with (operations.ts), not always the one of the request. */
  readonly operation: number;
  /** 0, or an error code; then `bodyBytes` must be 0. */
  readonly status: number;
  /** Size of the body that follows. */
  readonly bodyBytes: number;
};

/**
 * Writes the 256 bytes of a reply header at `position` of `target`, whatever stood there: the fields given, and checksum,
 * client id and number of the request, whose 256 header bytes are `requestHeader` (spec P9 2.3).
 */
export function writeReplyHeader(
  target: Uint8Array,
  position: number,
  requestHeader: Uint8Array,
  fields: ReplyHeaderFields,
): void {
  target.fill(0, position, position + headerBytes);
  writeU32(target, position + HeaderLayout.size, headerBytes + fields.bodyBytes);
  target[position + HeaderLayout.command] = HeaderCommand.reply;
  const { requestChecksum, client, request } = RequestHeaderLayout;
  copy(requestHeader, requestChecksum, target, position + ReplyHeaderLayout.requestChecksum, requestChecksumBytes);
  copy(requestHeader, client, target, position + ReplyHeaderLayout.client, clientIdBytes);
  copy(requestHeader, request, target, position + ReplyHeaderLayout.request, requestNumberBytes);
  target[position + ReplyHeaderLayout.operation] = fields.operation;
  writeU32(target, position + ReplyHeaderLayout.status, fields.status);
}

/** Why a client is sent away (spec P9 4.7). The numbers 0 and from 16 on are never sent. */
export const EvictionReason = {
  noSession: 1,
  clientReleaseTooLow: 2,
  clientReleaseTooHigh: 3,
  operation: 4,
  body: 5,
  bodySize: 6,
  sessionTooLow: 7,
  releaseMismatch: 8,
  invalidCredentials: 9,
  invalidToken: 10,
  userInactive: 11,
  sessionError: 12,
  staleClient: 13,
  incompatibleProtocol: 14,
  malformedLogin: 15,
} as const;

export type EvictionReasonName = keyof typeof EvictionReason;

/** Packed versions that the server accepts. */
export type VersionWindow = { readonly newest: number; readonly oldest: number };

const noClient = new Uint8Array(clientIdBytes);
noClient[0] = 1;

/**
 * An eviction frame: 256 bytes without a body (spec P9 2.4). `client` are the 16 bytes of the session's client id; where
 * there is none, or all are 0, another stands for it, because clients refuse the header with 0 and compare nothing.
 * `window` goes with the reason `incompatibleProtocol` only.
 */
export function encodeEviction(
  client: Uint8Array | undefined,
  reason: EvictionReasonName,
  window?: VersionWindow,
): Uint8Array<ArrayBuffer> {
  const frame = new Uint8Array(headerBytes);
  writeU32(frame, HeaderLayout.size, headerBytes);
  frame[HeaderLayout.command] = HeaderCommand.eviction;
  const isGiven = client !== undefined && !isZero(client, 0, clientIdBytes);
  frame.set(isGiven ? client : noClient, EvictionHeaderLayout.client);
  if (reason === "incompatibleProtocol" && window !== undefined) {
    writeU32(frame, EvictionHeaderLayout.newestVersion, window.newest);
    writeU32(frame, EvictionHeaderLayout.oldestVersion, window.oldest);
  }
  frame[EvictionHeaderLayout.reason] = EvictionReason[reason];
  return frame;
}
