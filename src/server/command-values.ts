// The types of what a command carries: by the protocol's registry under the command's name, and in a few commands with what a
// client of 0.9 says besides, which the codecs of 0.8 neither read nor write (spec P9 6.2, 6.3).
import type { Codec } from "../protocol/codec.ts";
import type { CommandName } from "../protocol/codes.ts";
import type { StreamHeader } from "../protocol/records/stream-header.ts";
import type { commandCodecs } from "../protocol/registry.ts";
import type { Option, ShownOptions } from "../protocol/v09/options.ts";
import type { TopicDetails09, TopicHeader09 } from "../protocol/v09/records.ts";

type RequestOf08<N extends CommandName> = (typeof commandCodecs)[N]["request"] extends Codec<infer T> ? T : never;
type ReplyOf08<N extends CommandName> = (typeof commandCodecs)[N]["reply"] extends Codec<infer T> ? T : never;

/** Options in a request; absent: the request is one of 0.8. */
export interface GivenOptions {
  readonly options?: readonly Option[] | undefined;
}

/** With options these say nothing, and may be absent; without, what is absent is the default, or stays as it is. */
type TopicSetting = "compressionCode" | "messageExpiryMicros" | "maxTopicSizeBytes" | "replicationFactor";

type TopicRequest<Request extends { readonly [Key in TopicSetting]: unknown }> = Omit<Request, TopicSetting> &
  Partial<Pick<Request, TopicSetting>> &
  GivenOptions;

interface RequestsWithOptions {
  createStream: RequestOf08<"createStream"> & GivenOptions;
  updateStream: RequestOf08<"updateStream"> & GivenOptions;
  createUser: RequestOf08<"createUser"> & GivenOptions;
  updateUser: RequestOf08<"updateUser"> & GivenOptions;
  createTopic: TopicRequest<RequestOf08<"createTopic">>;
  updateTopic: TopicRequest<RequestOf08<"updateTopic">>;
}

/** With the options of a topic. */
export type ShownTopicHeader = TopicHeader09 & { readonly options: ShownOptions };
export type ShownTopicDetails = TopicDetails09 & { readonly options: ShownOptions };
export type ShownStreamDetails = StreamHeader & { readonly topics: readonly ShownTopicHeader[] };

interface RepliesWithOptions {
  getStream: ShownStreamDetails;
  getTopic: ShownTopicDetails;
  getTopics: readonly ShownTopicHeader[];
  createTopic: ShownTopicDetails;
}

/** The decoded request of a command. */
export type RequestOf<N extends CommandName> = N extends keyof RequestsWithOptions
  ? RequestsWithOptions[N]
  : RequestOf08<N>;

/** The reply of a command as its handler returns it. */
export type ReplyValueOf<N extends CommandName> = N extends keyof RepliesWithOptions
  ? RepliesWithOptions[N]
  : ReplyOf08<N>;
