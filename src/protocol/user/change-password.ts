// 37 change password (spec BP 4.3). Reply: empty.
//
//   user              identifier
//   current password  str8; 3 to 100 bytes (44), checked by the handler
//   new password      str8; the same

import { emptyCodec, recordCodec } from "../codec.ts";
import { type Identifier, identifierCodec } from "../identifier.ts";
import { shortStringCodec } from "../primitives.ts";

export type ChangePasswordRequest = {
  readonly user: Identifier;
  readonly currentPassword: string;
  readonly newPassword: string;
};

export const changePasswordRequestCodec = recordCodec<ChangePasswordRequest>({
  user: identifierCodec,
  currentPassword: shortStringCodec,
  newPassword: shortStringCodec,
});

export const changePasswordReplyCodec = emptyCodec;
