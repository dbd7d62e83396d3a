// Records in replies that differ from those of 0.8: streams, topics and users have options (spec P9 6.3). The values are those
// of 0.8, so that the same handlers make them.
//
//   stream header  as in 0.8, then u32 length and options
//   topic header   as in 0.8 without the replication factor, then twice u32 length and options: explicit, derived
//   user header    as in 0.8, then u32 length and options; in details the permissions follow
//
// Streams and users have no options yet: their block is empty, and what stands in it is passed over.

import { type Codec, countedListCodec, decodeItems, listCodec, recordCodec } from "../codec.ts";
import { nameCodec, u32Codec, u64Codec } from "../primitives.ts";
import { compressionCodec } from "../records/enumerations.ts";
import { partitionRecordCodec } from "../records/partition-record.ts";
import type { StreamDetails } from "../records/stream-details.ts";
import { type StreamHeader, streamHeaderCodec } from "../records/stream-header.ts";
import type { TopicDetails } from "../records/topic-details.ts";
import type { TopicHeader } from "../records/topic-header.ts";
import { shownPermissionsCodec, type UserDetails, type UserHeader, userHeaderCodec } from "../records/user-header.ts";
import { type ShownOptions, sizedOptionsCodec } from "./options.ts";

/** A topic as clients of 0.9 see it; without options both blocks are empty. */
export type TopicHeader09 = TopicHeader & { readonly options?: ShownOptions };
export type TopicDetails09 = TopicDetails & { readonly options?: ShownOptions };
export type StreamDetails09 = Omit<StreamDetails, "topics"> & { readonly topics: readonly TopicHeader09[] };

/** A record of 0.8 with an options block behind it, which is empty. */
function withoutOptions<T>(codec: Codec<T>): Codec<T> {
  return {
    encode(writer, value) {
      codec.encode(writer, value);
      sizedOptionsCodec.encode(writer, []);
    },
    decode(reader) {
      const value = codec.decode(reader);
      sizedOptionsCodec.decode(reader);
      return value;
    },
  };
}

export const streamHeaderCodec09: Codec<StreamHeader> = withoutOptions(streamHeaderCodec);
export const userHeaderCodec09: Codec<UserHeader> = withoutOptions(userHeaderCodec);

/** Not on the wire of 0.9; every topic has one copy. */
const replicationFactor = 1;

const topicFieldsCodec = recordCodec<Omit<TopicHeader, "replicationFactor">>({
  id: u32Codec,
  createdAtMicros: u64Codec,
  partitionsCount: u32Codec,
  messageExpiryMicros: u64Codec,
  compression: compressionCodec,
  maxTopicSizeBytes: u64Codec,
  sizeBytes: u64Codec,
  messagesCount: u64Codec,
  name: nameCodec,
});

const shownOptionsCodec = recordCodec<ShownOptions>({ explicit: sizedOptionsCodec, derived: sizedOptionsCodec });
const noOptions: ShownOptions = { explicit: [], derived: [] };

export const topicHeaderCodec09: Codec<TopicHeader09> = {
  encode(writer, header) {
    topicFieldsCodec.encode(writer, header);
    shownOptionsCodec.encode(writer, header.options ?? noOptions);
  },
  decode(reader) {
    const fields = topicFieldsCodec.decode(reader);
    return { ...fields, replicationFactor, options: shownOptionsCodec.decode(reader) };
  },
};

/** Topics of a stream (301): unlike streams and users they have their count before them. */
export const topicsCodec09: Codec<readonly TopicHeader09[]> = countedListCodec(topicHeaderCodec09);

/** The count in the header decides how many topics are read; it is written from the list. */
export const streamDetailsCodec09: Codec<StreamDetails09> = {
  encode(writer, details) {
    streamHeaderCodec09.encode(writer, { ...details, topicsCount: details.topics.length });
    for (const topic of details.topics) topicHeaderCodec09.encode(writer, topic);
  },
  decode(reader) {
    const header = streamHeaderCodec09.decode(reader);
    return { ...header, topics: decodeItems(topicHeaderCodec09, reader, header.topicsCount) };
  },
};

/** The count in the header decides how many partitions are read; it is written from the list. */
export const topicDetailsCodec09: Codec<TopicDetails09> = {
  encode(writer, details) {
    topicHeaderCodec09.encode(writer, { ...details, partitionsCount: details.partitions.length });
    for (const partition of details.partitions) partitionRecordCodec.encode(writer, partition);
  },
  decode(reader) {
    const header = topicHeaderCodec09.decode(reader);
    return { ...header, partitions: decodeItems(partitionRecordCodec, reader, header.partitionsCount) };
  },
};

export const userDetailsCodec09: Codec<UserDetails> = {
  encode(writer, details) {
    userHeaderCodec09.encode(writer, details);
    shownPermissionsCodec.encode(writer, details.permissions);
  },
  decode(reader) {
    const header = userHeaderCodec09.decode(reader);
    return { ...header, permissions: shownPermissionsCodec.decode(reader) };
  },
};

export const streamsCodec09: Codec<readonly StreamHeader[]> = listCodec(streamHeaderCodec09);
export const usersCodec09: Codec<readonly UserHeader[]> = listCodec(userHeaderCodec09);
