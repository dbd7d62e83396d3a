// Requests whose bodies differ from those of 0.8 (spec P9 6.2): options to the end of the body, where 0.8 passes over trailing
// bytes, and an acknowledgement for offsets.

import type { ByteReader } from "../byte-reader.ts";
import type { ByteWriter } from "../byte-writer.ts";
import { type Codec, recordCodec } from "../codec.ts";
import { type Identifier, identifierCodec } from "../identifier.ts";
import {
  type DeleteConsumerOffsetRequest,
  deleteConsumerOffsetRequestCodec,
} from "../offset/delete-consumer-offset.ts";
import { type StoreConsumerOffsetRequest, storeConsumerOffsetRequestCodec } from "../offset/store-consumer-offset.ts";
import { enumerationCodec, nameCodec, u32Codec } from "../primitives.ts";
import { type CreateStreamRequest, createStreamRequestCodec } from "../stream/create-stream.ts";
import { type UpdateStreamRequest, updateStreamRequestCodec } from "../stream/update-stream.ts";
import { type CreateUserRequest, createUserRequestCodec } from "../user/create-user.ts";
import { type UpdateUserRequest, updateUserRequestCodec } from "../user/update-user.ts";
import { type Option, optionsCodec } from "./options.ts";

/** The options of a request, in the order of the sender. */
export type WithOptions = { readonly options: readonly Option[] };

export type CreateStreamRequest09 = CreateStreamRequest & WithOptions;
export type UpdateStreamRequest09 = UpdateStreamRequest & WithOptions;
export type CreateUserRequest09 = CreateUserRequest & WithOptions;
export type UpdateUserRequest09 = UpdateUserRequest & WithOptions;

/** Compression, expiry and size are options. */
export type CreateTopicRequest09 = WithOptions & {
  readonly stream: Identifier;
  /** 0 to 1000 (2015), checked by the handler. */
  readonly partitionsCount: number;
  readonly name: string;
};

/** An option that is absent stays as it is. */
export type UpdateTopicRequest09 = WithOptions & {
  readonly stream: Identifier;
  readonly topic: Identifier;
  readonly name: string;
};

/** When a stored offset is to be answered; on one node both are alike (spec P9 9.6). An unknown code is InvalidCommand (3). */
export const AckCode = { none: 0, quorum: 1 } as const;
export type WithAck = { readonly ack: keyof typeof AckCode };

export type StoreConsumerOffsetRequest09 = StoreConsumerOffsetRequest & WithAck;
export type DeleteConsumerOffsetRequest09 = DeleteConsumerOffsetRequest & WithAck;

/** Two codecs one after the other, for one object. */
function joined<A extends object, B extends object>(first: Codec<A>, second: Codec<B>): Codec<A & B> {
  return {
    encode(writer: ByteWriter, value: A & B) {
      first.encode(writer, value);
      second.encode(writer, value);
    },
    decode: (reader: ByteReader) => ({ ...first.decode(reader), ...second.decode(reader) }),
  };
}

const tailCodec = recordCodec<WithOptions>({ options: optionsCodec });
const ackCodec = recordCodec<WithAck>({ ack: enumerationCodec(AckCode) });

export const createStreamRequestCodec09: Codec<CreateStreamRequest09> = joined(createStreamRequestCodec, tailCodec);
export const updateStreamRequestCodec09: Codec<UpdateStreamRequest09> = joined(updateStreamRequestCodec, tailCodec);
export const createUserRequestCodec09: Codec<CreateUserRequest09> = joined(createUserRequestCodec, tailCodec);
export const updateUserRequestCodec09: Codec<UpdateUserRequest09> = joined(updateUserRequestCodec, tailCodec);

export const createTopicRequestCodec09 = recordCodec<CreateTopicRequest09>({
  stream: identifierCodec,
  partitionsCount: u32Codec,
  name: nameCodec,
  options: optionsCodec,
});

export const updateTopicRequestCodec09 = recordCodec<UpdateTopicRequest09>({
  stream: identifierCodec,
  topic: identifierCodec,
  name: nameCodec,
  options: optionsCodec,
});

export const storeConsumerOffsetRequestCodec09: Codec<StoreConsumerOffsetRequest09> = joined(
  storeConsumerOffsetRequestCodec,
  ackCodec,
);
export const deleteConsumerOffsetRequestCodec09: Codec<DeleteConsumerOffsetRequest09> = joined(
  deleteConsumerOffsetRequestCodec,
  ackCodec,
);
