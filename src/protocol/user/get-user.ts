// 31 get user (spec BP 4.3). Request: user identifier. Reply: user details, empty if unknown.

import type { Codec } from "../codec.ts";
import { type UserDetails, userDetailsCodec } from "../records/user-header.ts";
import { type UserTarget, userTargetCodec } from "../targets.ts";

export type GetUserRequest = UserTarget;

export const getUserRequestCodec = userTargetCodec;

export type GetUserReply = UserDetails;

export const getUserReplyCodec: Codec<GetUserReply> = userDetailsCodec;
