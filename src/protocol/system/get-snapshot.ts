// 11 get snapshot (spec BP 4.2). Reply: the ZIP archive, nothing around it.
//
//   compression  u8
//   types count  u8
//   types        u8 each
//
// The codes are values, checked after the login (`snapshotOptionsOf`), not parts of the layout.

import { type Codec, decodeItems, recordCodec } from "../codec.ts";
import { IggyError } from "../errors.ts";
import { u8Codec } from "../primitives.ts";
import {
  type SnapshotCompression,
  type SnapshotType,
  snapshotCompressionOf,
  snapshotTypeOf,
} from "../records/enumerations.ts";

export type GetSnapshotRequest = { readonly compressionCode: number; readonly typeCodes: readonly number[] };

const typeCodesCodec: Codec<readonly number[]> = {
  encode(writer, codes) {
    writer.u8(codes.length);
    for (const code of codes) writer.u8(code);
  },
  decode: (reader) => decodeItems(u8Codec, reader, reader.u8()),
};

export const getSnapshotRequestCodec = recordCodec<GetSnapshotRequest>({
  compressionCode: u8Codec,
  typeCodes: typeCodesCodec,
});

/** What a snapshot request asks for. */
export type SnapshotOptions = { readonly compression: SnapshotCompression; readonly types: readonly SnapshotType[] };

/** Names of the codes; InvalidCommand (3) for an unknown code, or for "all" together with another type. */
export function snapshotOptionsOf(request: GetSnapshotRequest): SnapshotOptions {
  const compression = snapshotCompressionOf(request.compressionCode);
  const types = request.typeCodes.map(snapshotTypeOf);
  if (types.length > 1 && types.includes("all")) throw new IggyError("InvalidCommand");
  return { compression, types };
}

export type GetSnapshotReply = Uint8Array;

export const getSnapshotReplyCodec: Codec<GetSnapshotReply> = {
  encode: (writer, archive) => writer.bytes(archive),
  decode: (reader) => reader.bytes(reader.remaining),
};
