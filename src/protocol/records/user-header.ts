// User header and user details (spec BP 3.17).
//
//   header  0  4  id                 details  header, then
//           4  8  created at, µs              with permissions     01, u32 length, permissions
//          12  1  status                      without              four zero bytes (not one)
//          13  n  user name
//
// Clients differ in how many of the four zero bytes they read (spec BP 6.4); here, as in the Rust client, all four are
// needed. Any flag but 0 means "present" here, unlike in requests.

import { type Codec, recordCodec } from "../codec.ts";
import { nameCodec, u32Codec, u64Codec } from "../primitives.ts";
import { type UserStatus, userStatusCodec } from "./enumerations.ts";
import { type Permissions, sizedPermissionsCodec } from "./permissions.ts";

export type UserHeader = {
  readonly id: number;
  readonly createdAtMicros: bigint;
  readonly status: UserStatus;
  readonly username: string;
};

export type UserDetails = UserHeader & { readonly permissions: Permissions | undefined };

export const userHeaderCodec = recordCodec<UserHeader>({
  id: u32Codec,
  createdAtMicros: u64Codec,
  status: userStatusCodec,
  username: nameCodec,
});

/** What follows the header in the details. */
export const shownPermissionsCodec: Codec<Permissions | undefined> = {
  encode(writer, permissions) {
    if (permissions === undefined) {
      writer.u32(0);
    } else {
      writer.u8(1);
      sizedPermissionsCodec.encode(writer, permissions);
    }
  },
  decode(reader) {
    const hasPermissions = reader.u8() !== 0;
    if (!hasPermissions) reader.bytes(3);
    return hasPermissions ? sizedPermissionsCodec.decode(reader) : undefined;
  },
};

export const userDetailsCodec: Codec<UserDetails> = {
  encode(writer, details) {
    userHeaderCodec.encode(writer, details);
    shownPermissionsCodec.encode(writer, details.permissions);
  },
  decode(reader) {
    const header = userHeaderCodec.decode(reader);
    return { ...header, permissions: shownPermissionsCodec.decode(reader) };
  },
};
