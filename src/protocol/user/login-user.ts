// 38 login user (spec BP 4.3). Reply: user id u32.
//
//   user name  name; 3 to 50 bytes (43)
//   password   str8; 3 to 100 bytes (44)
//   version    str32; length 0 = absent; what the SDK calls itself
//   context    str32; length 0 = absent
//
// The lengths of version and context are mandatory. The ranges are checked by the handler.

import { type Codec, recordCodec } from "../codec.ts";
import { longStringCodec, nameCodec, shortStringCodec, u32Codec } from "../primitives.ts";

export type LoginUserRequest = {
  readonly username: string;
  readonly password: string;
  readonly version: string | undefined;
  readonly context: string | undefined;
};

/** Length 0 means absent (spec BP 1, form C). */
const optionalTextCodec: Codec<string | undefined> = {
  encode: (writer, text) => longStringCodec.encode(writer, text ?? ""),
  decode: (reader) => longStringCodec.decode(reader) || undefined,
};

export const loginUserRequestCodec = recordCodec<LoginUserRequest>({
  username: nameCodec,
  password: shortStringCodec,
  version: optionalTextCodec,
  context: optionalTextCodec,
});

export type LoginUserReply = { readonly userId: number };

export const loginUserReplyCodec = recordCodec<LoginUserReply>({ userId: u32Codec });
