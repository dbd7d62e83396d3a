// Frames (spec BP 2.1, 2.2, 7). A request comes in one of two kinds:
//
//   sdk    0  4  length   4 + payload size        page   0  4  code
//          4  4  code                                    4  4  payload size
//          8  n  payload                                 8  n  payload
//
// A reply is the same for both: status u32 (0 = success), payload size u32, payload. An error reply has no payload.

import { IggyError } from "./errors.ts";

/** How a connection writes its requests: as the released SDKs do, or as the project's page pictures them. */
export type FrameKind = "sdk" | "page";

/** Size of the header of requests and replies. */
export const frameHeaderBytes = 8;

/** What the length field of an SDK frame counts besides the payload: the code. */
export const sdkLengthOverheadBytes = 4;

/** Byte positions inside a frame header. */
export const SdkFrameLayout = { length: 0, code: 4 } as const;
export const PageFrameLayout = { code: 0, payloadBytes: 4 } as const;
export const ReplyLayout = { status: 0, payloadBytes: 4 } as const;

/** Head of a request. `payloadBytes` is negative when an SDK frame announces a length below 4 (reply 3, spec BP 2.3). */
export type RequestHead = { readonly code: number; readonly payloadBytes: number };

/** Head of a reply. */
export type ReplyHead = { readonly status: number; readonly payloadBytes: number };

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** A whole request frame. The payload is copied. */
export function encodeRequestFrame(code: number, payload: Uint8Array, kind: FrameKind = "sdk"): Uint8Array {
  const frame = new Uint8Array(frameHeaderBytes + payload.length);
  const view = viewOf(frame);
  if (kind === "sdk") {
    view.setUint32(SdkFrameLayout.length, sdkLengthOverheadBytes + payload.length, true);
    view.setUint32(SdkFrameLayout.code, code, true);
  } else {
    view.setUint32(PageFrameLayout.code, code, true);
    view.setUint32(PageFrameLayout.payloadBytes, payload.length, true);
  }
  frame.set(payload, frameHeaderBytes);
  return frame;
}

/** Head of a request at `position`; the caller has made sure that 8 bytes are there. */
export function decodeRequestHead(bytes: Uint8Array, kind: FrameKind, position = 0): RequestHead {
  const view = viewOf(bytes);
  const first = view.getUint32(position, true);
  const second = view.getUint32(position + 4, true);
  return kind === "sdk"
    ? { code: second, payloadBytes: first - sdkLengthOverheadBytes }
    : { code: first, payloadBytes: second };
}

/** A whole reply frame with status 0. The payload is copied. */
export function encodeReplyFrame(payload: Uint8Array): Uint8Array {
  const frame = new Uint8Array(frameHeaderBytes + payload.length);
  viewOf(frame).setUint32(ReplyLayout.payloadBytes, payload.length, true);
  frame.set(payload, frameHeaderBytes);
  return frame;
}

/** A whole error reply: the code and no payload, always 8 bytes. */
export function encodeErrorFrame(code: number): Uint8Array {
  const frame = new Uint8Array(frameHeaderBytes);
  viewOf(frame).setUint32(ReplyLayout.status, code, true);
  return frame;
}

/** Writes the head of a reply at `position` of a buffer that the caller owns. */
export function writeReplyHead(view: DataView, position: number, status: number, payloadBytes: number): void {
  view.setUint32(position + ReplyLayout.status, status, true);
  view.setUint32(position + ReplyLayout.payloadBytes, payloadBytes, true);
}

/** Head of a reply at `position`; InvalidCommand (3) if fewer than 8 bytes are there. */
export function decodeReplyHead(bytes: Uint8Array, position = 0): ReplyHead {
  if (bytes.length - position < frameHeaderBytes) throw new IggyError("InvalidCommand");
  const view = viewOf(bytes);
  return {
    status: view.getUint32(position + ReplyLayout.status, true),
    payloadBytes: view.getUint32(position + ReplyLayout.payloadBytes, true),
  };
}
