// 34 delete user (spec BP 4.3). Request: user identifier. Reply: empty.

import { emptyCodec } from "../codec.ts";
import { type UserTarget, userTargetCodec } from "../targets.ts";

export type DeleteUserRequest = UserTarget;

export const deleteUserRequestCodec = userTargetCodec;

export const deleteUserReplyCodec = emptyCodec;
