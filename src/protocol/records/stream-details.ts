// Stream details: stream header, then its topic headers to the end of the payload (spec BP 4.7). Clients require as many
// topic headers as the header says (spec BP 6.4), so the count is written from the list.

import { type Codec, listCodec } from "../codec.ts";
import { IggyError } from "../errors.ts";
import { type StreamHeader, streamHeaderCodec } from "./stream-header.ts";
import { type TopicHeader, topicHeaderCodec } from "./topic-header.ts";

export type StreamDetails = StreamHeader & { readonly topics: readonly TopicHeader[] };

const topicsCodec = listCodec(topicHeaderCodec);

/** A count that differs from the list is InvalidFormat (4) when reading, and not looked at when writing. */
export const streamDetailsCodec: Codec<StreamDetails> = {
  encode(writer, details) {
    streamHeaderCodec.encode(writer, { ...details, topicsCount: details.topics.length });
    topicsCodec.encode(writer, details.topics);
  },
  decode(reader) {
    const header = streamHeaderCodec.decode(reader);
    const topics = topicsCodec.decode(reader);
    if (topics.length !== header.topicsCount) throw new IggyError("InvalidFormat");
    return { ...header, topics };
  },
};
