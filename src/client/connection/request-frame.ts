// A request frame in pieces (spec BP 2.1): the head never travels alone, and the bulk of a large payload is not copied.

import { IggyError } from "../../protocol/errors.ts";
import { frameHeaderBytes, SdkFrameLayout, sdkLengthOverheadBytes } from "../../protocol/frame.ts";
import { sendPayloadBytesMax } from "../../protocol/limits.ts";
import { mergedFrameBytesMax } from "../limits.ts";

/**
 * The frame of a request whose payload is `parts` one after the other. The first piece, the head and up to 16 KiB, is a
 * copy; further pieces are views of the parts. A payload that the length field cannot
 * announce is InvalidFormat (4).
 */
export function requestFramePieces(code: number, parts: readonly Uint8Array[]): Uint8Array[] {
  let payloadBytes = 0;
  for (const part of parts) payloadBytes += part.length;
  if (payloadBytes > sendPayloadBytesMax) throw new IggyError("InvalidFormat");

  const first = new Uint8Array(Math.min(frameHeaderBytes + payloadBytes, mergedFrameBytesMax));
  const view = new DataView(first.buffer);
  view.setUint32(SdkFrameLayout.length, sdkLengthOverheadBytes + payloadBytes, true);
  view.setUint32(SdkFrameLayout.code, code, true);
  const pieces: Uint8Array[] = [first];
  let filledBytes = frameHeaderBytes;
  for (const part of parts) {
    const copiedBytes = Math.min(part.length, first.length - filledBytes);
    first.set(part.subarray(0, copiedBytes), filledBytes);
    filledBytes += copiedBytes;
    if (copiedBytes < part.length) pieces.push(part.subarray(copiedBytes));
  }
  return pieces;
}
