// 33 create user (spec BP 4.3). Reply: user details.
//
//   user name    name; 3 to 50 bytes (43)
//   password     str8; 3 to 100 bytes (44)
//   status       u8; 1 or 2 (3)
//   permissions  flag u8, then u32 length and block if present
//
// The ranges and the status are checked by the handler, after the permission check.

import { type Codec, recordCodec } from "../codec.ts";
import { nameCodec, shortStringCodec, u8Codec } from "../primitives.ts";
import { optionalPermissionsCodec, type Permissions } from "../records/permissions.ts";
import { type UserDetails, userDetailsCodec } from "../records/user-header.ts";

export type CreateUserRequest = {
  readonly username: string;
  readonly password: string;
  readonly statusCode: number;
  readonly permissions: Permissions | undefined;
};

export const createUserRequestCodec = recordCodec<CreateUserRequest>({
  username: nameCodec,
  password: shortStringCodec,
  statusCode: u8Codec,
  permissions: optionalPermissionsCodec,
});

export type CreateUserReply = UserDetails;

export const createUserReplyCodec: Codec<CreateUserReply> = userDetailsCodec;
