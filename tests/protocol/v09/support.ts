// Frames of the protocol of 0.9 as a client writes and reads them, for tests.

import { readU32 } from "../../../src/protocol/byte-reader.ts";
import { HeaderCommand, HeaderLayout, headerBytes, RequestHeaderLayout } from "../../../src/protocol/v09/headers.ts";

export type RequestFrame = {
  readonly operation: number;
  readonly code?: number;
  readonly client?: Uint8Array;
  readonly request?: bigint;
  readonly session?: bigint;
  readonly requestChecksum?: bigint;
  readonly body?: Uint8Array;
};

/** The client id of frames that do not name another one. */
export const someClient = Uint8Array.from({ length: 16 }, (_, index) => index + 1);

/** A whole request frame. */
export function requestFrame(fields: RequestFrame): Uint8Array<ArrayBuffer> {
  const body = fields.body ?? new Uint8Array(0);
  const frame = new Uint8Array(headerBytes + body.length);
  const view = new DataView(frame.buffer);
  view.setUint32(HeaderLayout.size, frame.length, true);
  frame[HeaderLayout.command] = HeaderCommand.request;
  frame.set(fields.client ?? someClient, RequestHeaderLayout.client);
  view.setBigUint64(RequestHeaderLayout.requestChecksum, fields.requestChecksum ?? 0n, true);
  view.setBigUint64(RequestHeaderLayout.request, fields.request ?? 0n, true);
  frame[RequestHeaderLayout.operation] = fields.operation;
  view.setBigUint64(RequestHeaderLayout.session, fields.session ?? 0n, true);
  view.setUint32(RequestHeaderLayout.code, fields.code ?? 0, true);
  frame.set(body, headerBytes);
  return frame;
}

/** 256 bytes that are zero but for those given by position, as the page lists headers (spec P9 15.1). */
export function headerOf(fields: Readonly<Record<number, string>>): Uint8Array<ArrayBuffer> {
  const header = new Uint8Array(headerBytes);
  for (const [position, text] of Object.entries(fields)) {
    header.set(Uint8Array.fromHex(text.replaceAll(" ", "")), Number(position));
  }
  return header;
}

/** The u32 at a position. */
export function u32At(bytes: Uint8Array, position: number): number {
  return readU32(bytes, position);
}
