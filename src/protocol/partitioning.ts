// Partitioning (spec BP 3.6): how a send chooses its partition.
//
//   0  1  kind     1 balanced, 2 partition id, 3 messages key
//   1  1  length   0; 4; 0 to 255
//   2  n  value    nothing; u32; raw bytes

import type { Codec } from "./codec.ts";
import { IggyError } from "./errors.ts";
import { partitionKeyBytesMax } from "./limits.ts";

export type Partitioning =
  | { readonly kind: "balanced" }
  | { readonly kind: "partition"; readonly partitionId: number }
  | { readonly kind: "key"; readonly key: Uint8Array };

export const PartitioningKindCode = { balanced: 1, partition: 2, key: 3 } as const;

const partitionIdBytes = 4;

/** An unknown kind or a wrong length is InvalidCommand (3). An empty key is accepted, as by the original. */
export const partitioningCodec: Codec<Partitioning> = {
  encode(writer, partitioning) {
    writer.u8(PartitioningKindCode[partitioning.kind]);
    switch (partitioning.kind) {
      case "balanced":
        writer.u8(0);
        return;
      case "partition":
        writer.u8(partitionIdBytes);
        writer.u32(partitioning.partitionId);
        return;
      case "key":
        if (partitioning.key.length > partitionKeyBytesMax) throw new IggyError("InvalidKeyValueLength");
        writer.u8(partitioning.key.length);
        writer.bytes(partitioning.key);
    }
  },
  decode(reader) {
    const kind = reader.u8();
    const sizeBytes = reader.u8();
    if (kind === PartitioningKindCode.balanced && sizeBytes === 0) return { kind: "balanced" };
    if (kind === PartitioningKindCode.partition && sizeBytes === partitionIdBytes) {
      return { kind: "partition", partitionId: reader.u32() };
    }
    if (kind === PartitioningKindCode.key) return { kind: "key", key: reader.bytes(sizeBytes) };
    throw new IggyError("InvalidCommand");
  },
};
