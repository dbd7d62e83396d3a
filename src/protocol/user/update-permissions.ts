// 36 update permissions (spec BP 4.3). Reply: empty.
//
//   user         identifier
//   permissions  flag u8, then u32 length and block if present; otherwise all rights are removed

import { emptyCodec, recordCodec } from "../codec.ts";
import { type Identifier, identifierCodec } from "../identifier.ts";
import { optionalPermissionsCodec, type Permissions } from "../records/permissions.ts";

export type UpdatePermissionsRequest = {
  readonly user: Identifier;
  readonly permissions: Permissions | undefined;
};

export const updatePermissionsRequestCodec = recordCodec<UpdatePermissionsRequest>({
  user: identifierCodec,
  permissions: optionalPermissionsCodec,
});

export const updatePermissionsReplyCodec = emptyCodec;
