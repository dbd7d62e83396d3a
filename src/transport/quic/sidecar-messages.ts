// What the broker and its QUIC sidecar say to each other: lines of JSON on the sidecar's stdin and stdout, and a preamble at
// the start of each connection to the broker's unix socket. After the preamble a connection carries plain frames: request
// frames one after the other, and their replies in the same order.
import type { FrameKind } from "../../protocol/frame.ts";

/** First line to the sidecar. Secrets travel on this way only: neither in files nor in arguments. */
export interface SidecarStart {
  readonly kind: "start";
  readonly host: string;
  readonly port: number;
  readonly certPem: string;
  readonly keyPem: string;
  /** Of the broker, for connections of clients. */
  readonly socketPath: string;
  readonly frames: FrameKind | "auto";
  readonly streamsMax: number;
  /** Undefined: off. */
  readonly keepAliveMs: number | undefined;
  /** Undefined: the engine's own 30 s. */
  readonly idleTimeoutMs: number | undefined;
}

export type ToSidecar =
  | SidecarStart
  /** For connections from now on. */
  | { readonly kind: "certificate"; readonly certPem: string; readonly keyPem: string };

export type FromSidecar =
  | { readonly kind: "listening"; readonly port: number }
  /** The sidecar works but cannot listen as it was told; it ends. */
  | { readonly kind: "refused"; readonly reason: string };

/** Size of the preamble: one byte for the length of the client's address, and the address as text. */
export const preambleBytes = 64;

/** `address`: `ip:port`, IPv6 as `[ip]:port`. */
export function encodePreamble(address: string): Uint8Array {
  const preamble = new Uint8Array(preambleBytes);
  const { written } = new TextEncoder().encodeInto(address, preamble.subarray(1));
  preamble[0] = written;
  return preamble;
}

/** The client's address, of exactly `preambleBytes` bytes. */
export function decodePreamble(preamble: Uint8Array): string {
  return new TextDecoder().decode(preamble.subarray(1, 1 + preamble[0]!));
}
