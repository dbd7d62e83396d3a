// What most requests begin with: the stream, topic and group they are about, each an identifier (spec BP 3.2).

import { recordCodec } from "./codec.ts";
import { type Identifier, identifierCodec } from "./identifier.ts";

export type StreamTarget = { readonly stream: Identifier };
export type TopicTarget = { readonly stream: Identifier; readonly topic: Identifier };
export type GroupTarget = { readonly stream: Identifier; readonly topic: Identifier; readonly group: Identifier };
export type UserTarget = { readonly user: Identifier };

export const streamTargetCodec = recordCodec<StreamTarget>({ stream: identifierCodec });
export const topicTargetCodec = recordCodec<TopicTarget>({ stream: identifierCodec, topic: identifierCodec });
export const groupTargetCodec = recordCodec<GroupTarget>({
  stream: identifierCodec,
  topic: identifierCodec,
  group: identifierCodec,
});
export const userTargetCodec = recordCodec<UserTarget>({ user: identifierCodec });
