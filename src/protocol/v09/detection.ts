// Whether a connection speaks the protocol of 0.9, by its first bytes (spec P9 1.1). Those of 0.8 never begin with four zero
// bytes, those of 0.9 always: their first 48 bytes are checksums and a cluster id that no client fills.

import { readU32 } from "../byte-reader.ts";
import { frameBytesMax, HeaderCommand, HeaderLayout, headerBytes } from "./headers.ts";

/**
 * `more`: wait; `yes`: 0.9 for good; `no`: the rules for 0.8 decide; `broken`: neither, to be closed without a reply, since
 * a client of 0.9 would wait for the rest of a header.
 */
export type Detection09 = "more" | "yes" | "no" | "broken";

/** As many zero bytes make a candidate. */
const candidateBytes = 4;

/** Checksums and cluster id. */
const zeroBytes = HeaderLayout.size;

/** As much of the header decides. */
const decisionBytes = 64;

function isZeroTo(bytes: Uint8Array, end: number): boolean {
  for (let position = 0; position < end; position++) if (bytes[position] !== 0) return false;
  return true;
}

/** Given every byte that has arrived so far. A bad beginning is told as soon as no further byte can make it good. */
export function detect09(bytes: Uint8Array, limitBytes = frameBytesMax): Detection09 {
  if (!isZeroTo(bytes, Math.min(bytes.length, candidateBytes))) return "no";
  if (!isZeroTo(bytes, Math.min(bytes.length, zeroBytes))) return "broken";
  if (bytes.length < decisionBytes) return "more";
  const frameBytes = readU32(bytes, HeaderLayout.size);
  const isHeader = bytes[HeaderLayout.command] === HeaderCommand.request;
  return isHeader && frameBytes >= headerBytes && frameBytes <= limitBytes ? "yes" : "broken";
}
