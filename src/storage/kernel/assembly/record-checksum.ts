// The checksum of a batch record (spec P9 8.2): XXH3 over 44 bytes of its header and then the checksum of each message,
// which lie scattered, one in each frame. They are gathered in the 256 bytes of the record's own header, the only memory
// that every record brings along, and hashed piece by piece; the header's fields are lost on the way and the caller
// writes them again. The state is in globals of the instance: one record at a time.

import { recordChecksum, recordHeaderSizeBytes } from "./layout";
import { stripeBytes, xxh3 } from "./xxh3";
import { addStripes, beginStream, endStream } from "./xxh3-stream";

let input: usize = 0;
let filledBytes: u32 = 0;
let totalBytes: u64 = 0;
let isStreamed: bool = false;

/** Begins with the fields of `header` up to its checksum, and `count`: 44 bytes, which makes the field of the checksum go. */
export function beginRecordChecksum(header: usize, count: u32): void {
  store<u32>(header, count, recordChecksum);
  input = header;
  filledBytes = <u32>recordChecksum + 4;
  totalBytes = filledBytes;
  isStreamed = false;
}

/** The checksum of the next message. */
export function addMessageChecksum(checksum: u64): void {
  if (filledBytes + 8 > <u32>recordHeaderSizeBytes) {
    // 252 bytes: two stripes go, the other 124 bytes stay, more than the last stripe that the end needs.
    if (!isStreamed) {
      beginStream();
      isStreamed = true;
    }
    addStripes(input, 2);
    filledBytes -= 2 * stripeBytes;
    memory.copy(input, input + 2 * stripeBytes, filledBytes);
  }
  store<u64>(input + filledBytes, checksum);
  filledBytes += 8;
  totalBytes += 8;
}

/** The checksum of the record. */
export function endRecordChecksum(): u64 {
  if (!isStreamed) return xxh3(input, filledBytes);
  addStripes(input, (filledBytes - 1) / stripeBytes);
  return endStream(input + filledBytes - stripeBytes, totalBytes);
}

/** Zeroes the header from byte `from` on. */
export function clearHeader(header: usize, from: usize): void {
  memory.fill(header + from, 0, <usize>recordHeaderSizeBytes - from);
}
