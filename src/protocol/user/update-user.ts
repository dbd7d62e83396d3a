// 35 update user (spec BP 4.3). Reply: empty.
//
//   user       identifier
//   user name  flag u8, then name if present; 3 to 50 bytes (43)
//   status     flag u8, then u8 if present; 1 or 2 (3)
//
// The range and the status are checked by the handler, after the permission check.

import { emptyCodec, recordCodec } from "../codec.ts";
import { type Identifier, identifierCodec } from "../identifier.ts";
import { flaggedCodec, nameCodec, u8Codec } from "../primitives.ts";

export type UpdateUserRequest = {
  readonly user: Identifier;
  readonly username: string | undefined;
  readonly statusCode: number | undefined;
};

export const updateUserRequestCodec = recordCodec<UpdateUserRequest>({
  user: identifierCodec,
  username: flaggedCodec(nameCodec),
  statusCode: flaggedCodec(u8Codec),
});

export const updateUserReplyCodec = emptyCodec;
