// Topic details: topic header, then its partition records to the end of the payload (spec BP 4.8). Clients require as many
// records as the header says (spec BP 6.4), so the count is written from the list.

import { type Codec, listCodec } from "../codec.ts";
import { IggyError } from "../errors.ts";
import { type PartitionRecord, partitionRecordCodec } from "./partition-record.ts";
import { type TopicHeader, topicHeaderCodec } from "./topic-header.ts";

export type TopicDetails = TopicHeader & { readonly partitions: readonly PartitionRecord[] };

const partitionsCodec = listCodec(partitionRecordCodec);

/** A count that differs from the list is InvalidFormat (4) when reading, and not looked at when writing. */
export const topicDetailsCodec: Codec<TopicDetails> = {
  encode(writer, details) {
    topicHeaderCodec.encode(writer, { ...details, partitionsCount: details.partitions.length });
    partitionsCodec.encode(writer, details.partitions);
  },
  decode(reader) {
    const header = topicHeaderCodec.decode(reader);
    const partitions = partitionsCodec.decode(reader);
    if (partitions.length !== header.partitionsCount) throw new IggyError("InvalidFormat");
    return { ...header, partitions };
  },
};
