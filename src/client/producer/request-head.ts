// The head of a send request (spec BP 4.5): where its batch goes, and how many messages it has.

import { ByteWriter } from "../../protocol/byte-writer.ts";
import { type Identifier, identifierCodec } from "../../protocol/identifier.ts";
import { type Partitioning, partitioningCodec } from "../../protocol/partitioning.ts";

/** Bytes before the index rows. */
export function sendHead(stream: Identifier, topic: Identifier, partitioning: Partitioning, count: number): Uint8Array {
  const writer = new ByteWriter();
  writer.u32(0);
  const metadataStart = writer.position;
  identifierCodec.encode(writer, stream);
  identifierCodec.encode(writer, topic);
  partitioningCodec.encode(writer, partitioning);
  writer.u32(count);
  writer.patchU32(0, writer.position - metadataStart);
  return writer.finish();
}
