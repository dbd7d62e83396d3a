// Where the request of a QUIC stream ends. A stream holds one request; what follows it is never read (spec BP 2.6).
import { CommandCode } from "../../protocol/codes.ts";
import { decodeRequestHead, type FrameKind, frameHeaderBytes } from "../../protocol/frame.ts";
import { detectFrameKind } from "../../protocol/frame-detection.ts";

export type RequestFrame =
  | { readonly kind: "more" }
  /** A length below 4: the stream is dropped without a reply. */
  | { readonly kind: "invalid" }
  /** What a client of 0.9 sends; the broker says so and ends the connection. */
  | { readonly kind: "legacy" }
  | { readonly kind: "frame"; readonly frames: FrameKind; readonly totalBytes: number; readonly isSend: boolean };

/** What the first bytes of a stream announce. `frames`: the kind of the connection's earlier requests, if there were any. */
export function announcedFrame(bytes: Uint8Array, frames: FrameKind | "auto"): RequestFrame {
  if (bytes.byteLength < frameHeaderBytes) return { kind: "more" };
  const detected = frames === "auto" ? detectFrameKind(bytes) : frames;
  if (detected === "more") return { kind: "more" };
  if (detected === "legacy-0.9") return { kind: "legacy" };
  const { code, payloadBytes } = decodeRequestHead(bytes, detected);
  if (payloadBytes < 0) return { kind: "invalid" };
  return {
    kind: "frame",
    frames: detected,
    totalBytes: frameHeaderBytes + payloadBytes,
    isSend: code === CommandCode.sendMessages,
  };
}
