// Poll and flush (spec BP 4.5, SB 4.5, 4.6). Sends have their own way in: send-messages.ts.
import { findPartition, requireTopic } from "../../metadata/index.ts";
import { IggyError } from "../../protocol/errors.ts";
import { pollReplyHeadBytes } from "../../protocol/message-layout.ts";
import type { PollingStrategy } from "../../protocol/polling-strategy.ts";
import { partitionKeyOf } from "../../shard/index.ts";
import type { ConsumerKey, ReadFrom } from "../../storage/index.ts";
import { command, fencedPoll, plainCommand } from "../command.ts";
import { isFencedPoll, placeOfPoll } from "../consumers.ts";
import { toSafeNumber } from "../numbers.ts";
import type { Reply } from "../reply.ts";
import { requireRight } from "../rights.ts";
import { pollBytesMax09 } from "../v09/poll-size.ts";

/** What a member of a group gets that has nothing to poll: partition 0, current offset 0, no messages (spec SB 4.5). */
const emptyPoll = new Uint8Array(pollReplyHeadBytes);

/** Where a poll begins. */
export function readFrom(strategy: PollingStrategy, consumer: ConsumerKey): ReadFrom {
  switch (strategy.kind) {
    case "offset":
      return { kind: "offset", offset: toSafeNumber(strategy.value) };
    case "timestamp":
      return { kind: "timestamp", timestampMicros: toSafeNumber(strategy.value) };
    case "next":
      return { kind: "next", consumer };
    default:
      return { kind: strategy.kind };
  }
}

/** The partition belongs to another member, here or, by now, at its owner: a success with nothing in it. */
function ifNotOwned(error: unknown, nothing: Reply): Reply {
  if (error instanceof IggyError && error.errorName === "NotResolvedConsumer") return nothing;
  throw error;
}

export const messageCommands = [
  plainCommand("pollMessages", ({ shard }, session, request): Reply | Promise<Reply> => {
    const { stream, topic } = requireTopic(shard.state, request.stream, request.topic);
    requireRight(shard, session, "pollMessages", stream.id, topic.id);
    const isFenced = isFencedPoll(session, request);
    const nothing = isFenced ? fencedPoll : emptyPoll;
    const place = placeOfPoll(session, request, stream, topic);
    if (place === undefined) return nothing;
    const { partitionId, consumer, memberClientId } = place;
    const partitionKey = partitionKeyOf(stream.id, topic.id, partitionId);
    // A member goes round its partitions, which lie on several shards.
    if (memberClientId === undefined) session.affinity.note(shard.remoteOwnerOf(partitionKey));
    try {
      const read = shard.read({
        partitionKey,
        from: readFrom(request.strategy, consumer),
        countMax: request.count,
        bytesMax: session.protocol === "0.8" ? undefined : pollBytesMax09(session.transport, request.count),
        autoCommit: request.autoCommit,
        consumer,
        memberClientId,
        isFenced,
      });
      if (!(read instanceof Promise)) return { partitionId, read };
      return read.then(
        (done) => ({ partitionId, read: done }),
        (error: unknown) => ifNotOwned(error, nothing),
      );
    } catch (error) {
      return ifNotOwned(error, nothing);
    }
  }),

  command("flushUnsavedBuffer", async ({ shard }, session, request) => {
    const { stream, topic } = requireTopic(shard.state, request.stream, request.topic);
    requireRight(shard, session, "sendMessages", stream.id, topic.id);
    if (findPartition(topic, request.partitionId) === undefined) {
      throw new IggyError("PartitionNotFound", [request.partitionId, topic.id, stream.id]);
    }
    await shard.flush(partitionKeyOf(stream.id, topic.id, request.partitionId), request.fsync);
    return undefined;
  }),
];
