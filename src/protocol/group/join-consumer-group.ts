// 604 join consumer group (spec BP 4.9). Request: stream, topic, group, each an identifier. Reply: empty.

import { emptyCodec } from "../codec.ts";
import { type GroupTarget, groupTargetCodec } from "../targets.ts";

export type JoinConsumerGroupRequest = GroupTarget;

export const joinConsumerGroupRequestCodec = groupTargetCodec;

export const joinConsumerGroupReplyCodec = emptyCodec;
