// 13 describe options (spec P9 11.3). Request: scope u8; 1 topic, 2 stream, 3 user (other: 3). Reply: u32 count, then
//
//   key            str8
//   kind           u8
//   default value  u32 length, bytes in that kind
//   description    str32

import { type Codec, countedListCodec, recordCodec } from "../codec.ts";
import { enumerationCodec, longStringCodec, nameCodec, u8Codec } from "../primitives.ts";

export const OptionScopeCode = { topic: 1, stream: 2, user: 3 } as const;
export type OptionScope = keyof typeof OptionScopeCode;

export type DescribeOptionsRequest = { readonly scope: OptionScope };

export const describeOptionsRequestCodec = recordCodec<DescribeOptionsRequest>({
  scope: enumerationCodec(OptionScopeCode),
});

/** An option that may be given. */
export type OptionDescription = {
  readonly key: string;
  /** `HeaderKindCode` of the value. */
  readonly kind: number;
  readonly defaultValue: Uint8Array;
  readonly description: string;
};

const longBytesCodec: Codec<Uint8Array> = {
  encode(writer, bytes) {
    writer.u32(bytes.length);
    writer.bytes(bytes);
  },
  decode: (reader) => reader.bytes(reader.u32()),
};

export type DescribeOptionsReply = readonly OptionDescription[];

export const describeOptionsReplyCodec: Codec<DescribeOptionsReply> = countedListCodec(
  recordCodec<OptionDescription>({
    key: nameCodec,
    kind: u8Codec,
    defaultValue: longBytesCodec,
    description: longStringCodec,
  }),
);
