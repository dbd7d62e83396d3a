// Optional partition id (spec BP 3.4), always 5 bytes: flag u8 (exactly 1 = given), then the id u32, which is written as 0
// and ignored when not given.

import type { Codec } from "./codec.ts";

export const optionalPartitionCodec: Codec<number | undefined> = {
  encode(writer, partitionId) {
    writer.u8(partitionId === undefined ? 0 : 1);
    writer.u32(partitionId ?? 0);
  },
  decode(reader) {
    const given = reader.u8() === 1;
    const partitionId = reader.u32();
    return given ? partitionId : undefined;
  },
};
