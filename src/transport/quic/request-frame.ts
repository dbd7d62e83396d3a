// Where the request of a QUIC stream ends. A stream holds one request; what follows it is never read (spec BP 2.6).
import { CommandCode } from "../../protocol/codes.ts";
import { ExtensionCode } from "../../protocol/extensions/codes.ts";
import { decodeRequestHead, frameHeaderBytes } from "../../protocol/frame.ts";
import { detectFrameKind } from "../../protocol/frame-detection.ts";
import { frameBytesOf, HeaderCommand, headerBytes, headerCommandOf } from "../../protocol/v09/headers.ts";
import type { ConnectionFrames } from "../frame-parser.ts";

export type RequestFrame =
  | { readonly kind: "more" }
  /** A length below 4: the stream is dropped without a reply. */
  | { readonly kind: "invalid" }
  /** No request of any version; the broker says so and ends the connection. */
  | { readonly kind: "broken" }
  | {
      readonly kind: "frame";
      readonly frames: ConnectionFrames;
      readonly totalBytes: number;
      readonly isSend: boolean;
    };

/** What the first bytes of a stream announce. `frames`: the kind of the connection's earlier requests, if there were any. */
export function announcedFrame(bytes: Uint8Array, frames: ConnectionFrames | "auto"): RequestFrame {
  const detected = frames === "auto" ? detectFrameKind(bytes) : frames;
  if (detected === "more") return { kind: "more" };
  if (detected === "broken") return { kind: "broken" };
  if (detected === "0.9") return announcedFrame09(bytes);
  if (bytes.byteLength < frameHeaderBytes) return { kind: "more" };
  const { code, payloadBytes } = decodeRequestHead(bytes, detected);
  if (payloadBytes < 0) return { kind: "invalid" };
  return {
    kind: "frame",
    frames: detected,
    totalBytes: frameHeaderBytes + payloadBytes,
    isSend: code === CommandCode.sendMessages || code === ExtensionCode.sendWithReceipt,
  };
}

/** A send that is cut short needs no word here: clients of 0.9 see the end of the stream. */
function announcedFrame09(bytes: Uint8Array): RequestFrame {
  if (bytes.byteLength < headerBytes) return { kind: "more" };
  const totalBytes = frameBytesOf(bytes);
  if (headerCommandOf(bytes) !== HeaderCommand.request || totalBytes < headerBytes) return { kind: "broken" };
  return { kind: "frame", frames: "0.9", totalBytes, isSend: false };
}
