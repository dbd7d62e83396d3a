// Which kind of frame a connection speaks, decided once on its first bytes (spec BP 7). The released SDKs write
// `[length][code][payload]`, the page of the project `[code][payload size][payload]`; SDK frames win every doubt. A wrong
// guess cannot corrupt data: before login only ping and the two logins are executed. Clients of 0.9 are known by four zero
// bytes, with which no frame of those begins.
//
// A is the first u32, B the second. The numbers and letters below are the lines of the tables of the spec.

import { ByteReader } from "./byte-reader.ts";
import { type Codec, encode } from "./codec.ts";
import { CommandCode, type CommandName, commandNameOf, payloadSizes } from "./codes.ts";
import { IggyError } from "./errors.ts";
import { type FrameKind, frameHeaderBytes, sdkLengthOverheadBytes } from "./frame.ts";
import { compressionOf, userStatusOf } from "./records/enumerations.ts";
import { commandCodecs } from "./registry.ts";
import { snapshotOptionsOf } from "./system/get-snapshot.ts";
import { detect09 } from "./v09/detection.ts";

/** `broken`: begins as clients of 0.9 do and is no request of theirs; `more`: not decided yet. */
export type DetectedFrameKind = FrameKind | "0.9" | "broken" | "more";

type Parse = "yes" | "no" | "more";

/** The commands allowed before login. */
const firstCommands: ReadonlySet<number> = new Set([
  CommandCode.ping,
  CommandCode.loginUser,
  CommandCode.loginWithPersonalAccessToken,
]);

/** Zero bytes that the C# SDK writes after the name of 43 and 44 (spec BP 6.5). */
const csharpTailBytes = 4;

const toleratedBytes: Partial<Record<CommandName, number>> = {
  updateUser: 1,
  deletePersonalAccessToken: csharpTailBytes,
  loginWithPersonalAccessToken: csharpTailBytes,
};

/** Smallest send messages payload that is still read as one; it gets its own error later. */
const sendPayloadBytesMin = 16;

/** A codec that also refuses what the codec of the command leaves to its handler, because the login check comes first. */
function checked<T>(codec: Codec<T>, check: (value: T) => unknown): Codec<T> {
  return {
    encode: (writer, value) => codec.encode(writer, value),
    decode(reader) {
      const value = codec.decode(reader);
      check(value);
      return value;
    },
  };
}

const checkedCodecs: Partial<Record<CommandName, Codec<unknown>>> = {
  getSnapshot: checked(commandCodecs.getSnapshot.request, snapshotOptionsOf),
  createUser: checked(commandCodecs.createUser.request, (request) => userStatusOf(request.statusCode)),
  updateUser: checked(
    commandCodecs.updateUser.request,
    ({ statusCode }) => statusCode === undefined || userStatusOf(statusCode),
  ),
  createTopic: checked(commandCodecs.createTopic.request, (request) => compressionOf(request.compressionCode)),
  updateTopic: checked(commandCodecs.updateTopic.request, (request) => compressionOf(request.compressionCode)),
};

function fits(name: CommandName, payloadBytes: number): boolean {
  const { bytesMin, bytesMax } = payloadSizes[name];
  const smallest = name === "sendMessages" ? sendPayloadBytesMin : bytesMin;
  return payloadBytes >= smallest && payloadBytes <= bytesMax + (toleratedBytes[name] ?? 0);
}

/** Kind of the first frame of a connection, given every byte that has arrived so far. */
export function detectFrameKind(bytes: Uint8Array): DetectedFrameKind {
  const later = detectLaterFrames(bytes);
  if (later !== undefined) return later;
  if (bytes.length < frameHeaderBytes) return "more"; // 1
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const a = view.getUint32(0, true);
  const b = view.getUint32(4, true);

  const pageCommand = commandNameOf(a);
  if (pageCommand === undefined || !fits(pageCommand, b)) return "sdk"; // 2
  const sdkCommand = commandNameOf(b);
  const sdkPayloadBytes = a - sdkLengthOverheadBytes;
  if (sdkPayloadBytes < 0 || sdkCommand === undefined) return "page"; // 3
  if (!fits(sdkCommand, sdkPayloadBytes)) return firstCommands.has(a) ? "page" : "sdk"; // 4, 5
  if (!firstCommands.has(a)) return "sdk"; // 6

  const asSdk = parseWhole(sdkCommand, bytes, sdkPayloadBytes); // 7
  if (asSdk === "yes") return "sdk"; // a
  const asPage = parseArriving(pageCommand, bytes, b);
  if (asPage === "no") return "sdk"; // b
  if (asPage === "yes") return "page"; // c, d
  return "more"; // e; ends with the payload, because B is a command code: at most 605 bytes
}

/** What the first four bytes say, which are zero with clients of 0.9 and never with others (spec P9 1.1); undefined: others. */
function detectLaterFrames(bytes: Uint8Array): DetectedFrameKind | undefined {
  const detected = detect09(bytes);
  if (detected === "no") return undefined;
  return detected === "yes" ? "0.9" : detected;
}

/**
 * Kind of the first frame of a WebSocket connection, given its first message: if that holds exactly one frame, its size
 * decides at once (spec BP 7, "WebSocket"); otherwise as `detectFrameKind`.
 */
export function detectMessageFrameKind(message: Uint8Array): DetectedFrameKind {
  const later = detectLaterFrames(message);
  if (later !== undefined) return later;
  if (message.length < frameHeaderBytes) return "more";
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
  const isSdk = view.getUint32(0, true) + sdkLengthOverheadBytes === message.length;
  const isPage = view.getUint32(4, true) + frameHeaderBytes === message.length;
  if (isSdk !== isPage) return isSdk ? "sdk" : "page";
  return detectFrameKind(message);
}

/**
 * Whether the payload is a request of that command, once it has arrived whole. At most 40 bytes are waited for here, and
 * "no" and "more" lead to the same decision (c, d), so nothing is gained by looking at a part.
 */
function parseWhole(name: CommandName, bytes: Uint8Array, payloadBytes: number): Parse {
  const end = frameHeaderBytes + payloadBytes;
  return bytes.length < end ? "more" : parseArriving(name, bytes, payloadBytes);
}

/**
 * Whether the payload is a request of that command: all kind and flag bytes legal and every byte used. What has arrived
 * may be a part of it; the answer is "no" as soon as the rest cannot change it.
 */
function parseArriving(name: CommandName, bytes: Uint8Array, payloadBytes: number): Parse {
  const end = frameHeaderBytes + payloadBytes;
  const reader = new ByteReader(bytes, frameHeaderBytes, Math.min(end, bytes.length));
  const codec: Codec<unknown> = checkedCodecs[name] ?? commandCodecs[name].request;
  let canonical: Uint8Array;
  try {
    const value = codec.decode(reader);
    canonical = encode(codec, value);
  } catch (error) {
    if (!(error instanceof IggyError)) throw error;
    return reader.refusedEnd > bytes.length && reader.refusedEnd <= end ? "more" : "no";
  }
  // A flag byte other than 0 and 1 does not survive encoding.
  const used = bytes.subarray(frameHeaderBytes, reader.position);
  if (!equalBytes(used, canonical)) return "no";
  const restBytes = end - reader.position;
  if (restBytes === 0) return "yes";
  const hasTail = name === "deletePersonalAccessToken" || name === "loginWithPersonalAccessToken";
  if (!hasTail || restBytes !== csharpTailBytes) return "no";
  const tail = bytes.subarray(reader.position, end);
  if (tail.some((byte) => byte !== 0)) return "no";
  return tail.length === csharpTailBytes ? "yes" : "more";
}

function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
