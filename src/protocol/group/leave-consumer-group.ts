// 605 leave consumer group (spec BP 4.9). Request: stream, topic, group, each an identifier. Reply: empty.

import { emptyCodec } from "../codec.ts";
import { type GroupTarget, groupTargetCodec } from "../targets.ts";

export type LeaveConsumerGroupRequest = GroupTarget;

export const leaveConsumerGroupRequestCodec = groupTargetCodec;

export const leaveConsumerGroupReplyCodec = emptyCodec;
