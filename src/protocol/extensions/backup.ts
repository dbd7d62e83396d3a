// 200,020 begin, 200,021 keep and 200,022 end a backup (docs/protocol-extensions.md).
//
//   begin: request empty    reply
//                           point id          `str8`
//                           directory         `str32`
//                           partitions count  u32
//                           closed count      u32, then stream id, topic id, partition id u32 each
//
//   keep, end: request      reply empty
//   point id  `str8`

import { type Codec, countedListCodec, emptyCodec, recordCodec } from "../codec.ts";
import { longStringCodec, nameCodec, u32Codec } from "../primitives.ts";

/** What a backup is copied from. */
export type BackupPointReply = {
  readonly pointId: string;
  /** On the machine of the broker, absolute. */
  readonly directory: string;
  readonly partitionsCount: number;
  /** Partitions that are not in it, since their files cannot be opened. */
  readonly closed: readonly ClosedPartition[];
};

export type ClosedPartition = { readonly streamId: number; readonly topicId: number; readonly partitionId: number };

export type BackupPointRequest = { readonly pointId: string };

export const beginBackupRequestCodec = emptyCodec;

export const beginBackupReplyCodec: Codec<BackupPointReply> = recordCodec<BackupPointReply>({
  pointId: nameCodec,
  directory: longStringCodec,
  partitionsCount: u32Codec,
  closed: countedListCodec(
    recordCodec<ClosedPartition>({ streamId: u32Codec, topicId: u32Codec, partitionId: u32Codec }),
  ),
});

export const backupPointRequestCodec: Codec<BackupPointRequest> = recordCodec<BackupPointRequest>({
  pointId: nameCodec,
});

export const backupPointReplyCodec = emptyCodec;
