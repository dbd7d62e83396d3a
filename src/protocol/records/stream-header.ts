// Stream header (spec BP 3.12): 33 bytes + name.
//
//   0  4  id                16  8  size in bytes
//   4  8  created at, µs    24  8  messages count
//  12  4  topics count      32  n  name

import { recordCodec } from "../codec.ts";
import { nameCodec, u32Codec, u64Codec } from "../primitives.ts";

export type StreamHeader = {
  readonly id: number;
  readonly createdAtMicros: bigint;
  readonly topicsCount: number;
  readonly sizeBytes: bigint;
  readonly messagesCount: bigint;
  readonly name: string;
};

export const streamHeaderCodec = recordCodec<StreamHeader>({
  id: u32Codec,
  createdAtMicros: u64Codec,
  topicsCount: u32Codec,
  sizeBytes: u64Codec,
  messagesCount: u64Codec,
  name: nameCodec,
});
