// What the reply body of a framed operation begins with (spec P9 6.1).
//
//   success  00 00 00 00, then the payload
//   refused  01 00 00 00, 00 00 00 00, u32 error code; nothing after

import { ByteReader } from "../byte-reader.ts";
import { ByteWriter } from "../byte-writer.ts";

/** Size of the section of a success. Its bytes are zero. */
export const successSectionBytes = 4;

const refusalBytes = 12;

/** Body of a success: the section, then `payload`, which may be empty. */
export function encodeSuccess(payload: Uint8Array): Uint8Array<ArrayBuffer> {
  const body = new Uint8Array(successSectionBytes + payload.length);
  body.set(payload, successSectionBytes);
  return body;
}

/** Body of a refusal with one entry. */
export function encodeRefusal(errorCode: number): Uint8Array {
  const writer = new ByteWriter(refusalBytes);
  writer.u32(1);
  writer.u32(0);
  writer.u32(errorCode);
  return writer.finish();
}

/**
 * What a client reads: the error code of the first entry, or 0 and where the payload starts. InvalidCommand (3) for a body
 * that is too short, also for an empty one.
 */
export function readResultSection(body: Uint8Array): { readonly errorCode: number; readonly payloadPosition: number } {
  const reader = new ByteReader(body);
  if (reader.u32() === 0) return { errorCode: 0, payloadPosition: reader.position };
  reader.u32();
  return { errorCode: reader.u32(), payloadPosition: body.length };
}
