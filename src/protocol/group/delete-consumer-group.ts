// 603 delete consumer group (spec BP 4.9). Request: stream, topic, group, each an identifier. Reply: empty.

import { emptyCodec } from "../codec.ts";
import { type GroupTarget, groupTargetCodec } from "../targets.ts";

export type DeleteConsumerGroupRequest = GroupTarget;

export const deleteConsumerGroupRequestCodec = groupTargetCodec;

export const deleteConsumerGroupReplyCodec = emptyCodec;
