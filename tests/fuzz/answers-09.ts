// Whether what came back is the answer to requests of 0.9: to each a reply with its number and operation, or an eviction, and
// never that of a fault of the broker.
import { errorNameOf } from "../../src/protocol/errors.ts";
import {
  EvictionHeaderLayout,
  frameBytesOf,
  HeaderCommand,
  headerBytes,
  headerCommandOf,
  operationOf,
  ReplyHeaderLayout,
  RequestHeaderLayout,
} from "../../src/protocol/v09/headers.ts";
import { isFramedOperation } from "../../src/protocol/v09/operations.ts";
import { readResultSection } from "../../src/protocol/v09/result-section.ts";

/** `Error` (1) stands for a bug. */
const bugCode = 1;
const evictionReasonMax = 15;
const numberBytes = 8;

/** The whole frames, one behind the other. */
export function framesIn09(received: Uint8Array): Uint8Array[] {
  const frames: Uint8Array[] = [];
  for (let position = 0; received.byteLength - position >= headerBytes; ) {
    const sizeBytes = frameBytesOf(received, position);
    if (sizeBytes < headerBytes) throw new Error(`a frame of ${sizeBytes} bytes`);
    if (position + sizeBytes > received.byteLength) break;
    frames.push(received.subarray(position, position + sizeBytes));
    position += sizeBytes;
  }
  return frames;
}

/** Number of answers to `requests`, the first ones in their order. Throws on one that no request deserves. */
export function answersIn09(received: Uint8Array, requests: readonly Uint8Array[]): number {
  const frames = framesIn09(received);
  if (frames.length > requests.length) throw new Error(`${frames.length} answers to ${requests.length} requests`);
  for (const [index, frame] of frames.entries()) requireAnswer(requests[index]!, frame);
  return frames.length;
}

/** Throws unless the frame is an answer to the request; `eviction`, or 0 or the error that it tells of. */
export function requireAnswer(request: Uint8Array, frame: Uint8Array): "eviction" | number {
  const describe = (what: string) => new Error(`${what}: ${frame.toHex()} to ${request.toHex()}`);
  const command = headerCommandOf(frame);
  if (command === HeaderCommand.eviction) {
    const reason = frame[EvictionHeaderLayout.reason]!;
    if (frame.byteLength !== headerBytes || reason === 0 || reason > evictionReasonMax) throw describe("no eviction");
    return "eviction";
  }
  if (command !== HeaderCommand.reply) throw describe(`command ${command}`);
  const sent = request.subarray(RequestHeaderLayout.request, RequestHeaderLayout.request + numberBytes);
  const echo = frame.subarray(ReplyHeaderLayout.request, ReplyHeaderLayout.request + numberBytes);
  if (Buffer.compare(sent, echo) !== 0) throw describe("another number");
  const operation = frame[ReplyHeaderLayout.operation]!;
  const asked = operationOf(request);
  if (operation !== (asked === deleteSegments.request ? deleteSegments.reply : asked))
    throw describe("another operation");
  const code = codeOf(frame, operation);
  if (code === bugCode || (code !== 0 && errorNameOf(code) === undefined)) throw describe(`error ${code}`);
  return code;
}

/** Spec P9 5.3. */
const deleteSegments = { request: 138, reply: 68 } as const;

function codeOf(frame: Uint8Array, operation: number): number {
  const status = new DataView(frame.buffer, frame.byteOffset).getUint32(ReplyHeaderLayout.status, true);
  if (status !== 0) {
    if (frame.byteLength > headerBytes) throw new Error(`a body behind status ${status}`);
    return status;
  }
  return isFramedOperation(operation) ? readResultSection(frame.subarray(headerBytes)).errorCode : 0;
}
