// The data of a frame goes from its message to behind the frame's header, and the frame is hashed on the way (spec P9 8.2): each
// vector is loaded once. What is short is copied and hashed one after the other.

import { frameHeaderSizeBytes, frameId } from "./layout";
import { secretPosition } from "./secret";
import {
  accumulateValue,
  finishLong,
  scramble,
  start0,
  start1,
  start2,
  start3,
  stripeBytes,
  xxh3,
} from "./xxh3";

/** Of a frame's header, before its data. */
const hashedHeaderBytes: u32 = <u32>frameHeaderSizeBytes - <u32>frameId;

/** Data in the first stripe. */
const firstDataBytes: u32 = stripeBytes - hashedHeaderBytes;

/** From here on the hash goes by stripes (`xxh3`). */
const longBytes: u32 = 241;

/**
 * Copies `dataBytes` from `data` behind the header of `frame`, which is written, and returns the checksum of the frame. The data may
 * overlap with its new place if it lies at least 64 bytes behind that.
 */
export function moveFrameData(frame: usize, data: usize, dataBytes: u32): u64 {
  const hashed = frame + frameId;
  const hashedBytes = hashedHeaderBytes + dataBytes;
  if (hashedBytes < longBytes) {
    memory.copy(frame + <usize>frameHeaderSizeBytes, data, dataBytes);
    return xxh3(hashed, hashedBytes);
  }
  const place = frame + <usize>frameHeaderSizeBytes;
  for (let at: usize = 0; at < firstDataBytes; at += 8) store<u64>(place + at, load<u64>(data + at));
  const key0 = secretPosition;
  let a = accumulateValue(start0(), v128.load(hashed), key0, 0);
  let b = accumulateValue(start1(), v128.load(hashed, 16), key0, 16);
  let c = accumulateValue(start2(), v128.load(hashed, 32), key0, 32);
  let d = accumulateValue(start3(), v128.load(hashed, 48), key0, 48);

  let from = data + firstDataBytes;
  let to = place + firstDataBytes;
  let key: usize = secretPosition + 8;
  for (let stripesLeft = (hashedBytes - 1) / stripeBytes - 1; stripesLeft != 0; stripesLeft--) {
    const valueA = v128.load(from);
    v128.store(to, valueA);
    a = accumulateValue(a, valueA, key, 0);
    const valueB = v128.load(from, 16);
    v128.store(to, valueB, 16);
    b = accumulateValue(b, valueB, key, 16);
    const valueC = v128.load(from, 32);
    v128.store(to, valueC, 32);
    c = accumulateValue(c, valueC, key, 32);
    const valueD = v128.load(from, 48);
    v128.store(to, valueD, 48);
    d = accumulateValue(d, valueD, key, 48);
    from += stripeBytes;
    to += stripeBytes;
    key += 8;
    if (key == secretPosition + 128) {
      a = scramble(a, 128);
      b = scramble(b, 144);
      c = scramble(c, 160);
      d = scramble(d, 176);
      key = secretPosition;
    }
  }
  // The last 64 bytes, of which the first have been copied.
  from = data + dataBytes - stripeBytes;
  to = place + dataBytes - stripeBytes;
  const lastA = v128.load(from);
  const lastB = v128.load(from, 16);
  const lastC = v128.load(from, 32);
  const lastD = v128.load(from, 48);
  v128.store(to, lastA);
  v128.store(to, lastB, 16);
  v128.store(to, lastC, 32);
  v128.store(to, lastD, 48);
  return finishLong(a, b, c, d, to, hashedBytes);
}
