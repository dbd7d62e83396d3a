// Consumer group header, member and details (spec BP 3.15, 4.9).
//
//   header  0  4  id                            member  0  4      member id
//           4  4  partitions count of the topic         4  4      partitions count n
//           8  4  members count                         8  4 x n  partition ids
//          12  n  name
//
// Details are the header and exactly `members count` members; the count is written from the list.

import { type Codec, countedListCodec, decodeItems, recordCodec } from "../codec.ts";
import { nameCodec, u32Codec } from "../primitives.ts";

export type ConsumerGroupHeader = {
  readonly id: number;
  readonly partitionsCount: number;
  readonly membersCount: number;
  readonly name: string;
};

export type ConsumerGroupMember = { readonly id: number; readonly partitions: readonly number[] };

export type ConsumerGroupDetails = ConsumerGroupHeader & { readonly members: readonly ConsumerGroupMember[] };

export const consumerGroupHeaderCodec = recordCodec<ConsumerGroupHeader>({
  id: u32Codec,
  partitionsCount: u32Codec,
  membersCount: u32Codec,
  name: nameCodec,
});

export const consumerGroupMemberCodec = recordCodec<ConsumerGroupMember>({
  id: u32Codec,
  partitions: countedListCodec(u32Codec),
});

export const consumerGroupDetailsCodec: Codec<ConsumerGroupDetails> = {
  encode(writer, details) {
    consumerGroupHeaderCodec.encode(writer, { ...details, membersCount: details.members.length });
    for (const member of details.members) consumerGroupMemberCodec.encode(writer, member);
  },
  decode(reader) {
    const header = consumerGroupHeaderCodec.decode(reader);
    return { ...header, members: decodeItems(consumerGroupMemberCodec, reader, header.membersCount) };
  },
};
