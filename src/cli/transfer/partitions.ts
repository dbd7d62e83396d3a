// Where reading begins and ends in each partition of a topic.

import type { Client } from "../../client/index.bun.ts";
import { IggyError } from "../../protocol/errors.ts";
import { numericId } from "../../protocol/identifier.ts";
import type { PolledMessage } from "../../protocol/message/poll-messages.ts";
import type { TopicPlace } from "../commands/places.ts";
import { Problem } from "../problem.ts";
import type { Range } from "../ranges.ts";

/** Nobody's: nothing is stored for it. */
export const nobody = { kind: "consumer", id: numericId(0) } as const;

/** What one request reads at most. */
const batchMessages = 1000;

export interface Place {
  readonly partitionId: number;
  /** Of the message to read next. */
  next: bigint;
  /** Behind the last message to read: the end at the beginning, or earlier. */
  readonly end: bigint;
  /** Messages from this time on are not read; undefined: no time ends it. */
  readonly beforeMicros: bigint | undefined;
}

/**
 * A place for each partition, or for those of `only`. `end` is where the partition ended just now, or earlier where the range says
 * so. A partition that does not exist is a Problem with the exit code 5.
 */
export async function placesOf(
  client: Client,
  { stream, topic }: TopicPlace,
  range: Range,
  only: readonly number[],
): Promise<Place[]> {
  const details = await client.getTopic(stream, topic);
  if (details === undefined) throw new IggyError("TopicIdNotFound");
  const missing = only.find((id) => !details.partitions.some((partition) => partition.id === id));
  if (missing !== undefined) throw new Problem(`there is no partition ${missing}`, { exitCode: 5 });
  const chosen = details.partitions.filter(({ id }) => only.length === 0 || only.includes(id));
  return await Promise.all(
    chosen.map(async ({ id: partitionId, currentOffset, messagesCount }): Promise<Place> => {
      // The offset is 0 both where nothing was sent and where one message was.
      const head = messagesCount === 0n && currentOffset === 0n ? 0n : currentOffset + 1n;
      const { to } = range;
      const end = to?.kind === "offset" && to.offset + 1n < head ? to.offset + 1n : head;
      const beforeMicros = to?.kind === "time" ? to.micros : undefined;
      return {
        partitionId,
        next: await firstOf(client, { stream, topic }, partitionId, head, range),
        end,
        beforeMicros,
      };
    }),
  );
}

async function firstOf(
  client: Client,
  place: TopicPlace,
  partitionId: number,
  head: bigint,
  { from }: Range,
): Promise<bigint> {
  switch (from.kind) {
    case "first":
      return 0n;
    case "new":
      return head;
    case "offset":
      return from.offset;
    case "last":
      return from.count > head ? 0n : head - from.count;
    case "time": {
      const strategy = { kind: "timestamp", value: from.micros } as const;
      const polled = await client.pollMessages({ ...place, partitionId, consumer: nobody, strategy, count: 1 });
      return polled.messages[0]?.offset ?? head;
    }
  }
}

/** The messages from a place on, as many as one request reads; the place moves behind the last of them. */
export async function pollFrom(
  client: Client,
  topicPlace: TopicPlace,
  place: Place,
): Promise<readonly PolledMessage[]> {
  const { messages } = await client.pollMessages({
    ...topicPlace,
    partitionId: place.partitionId,
    consumer: nobody,
    strategy: { kind: "offset", value: place.next },
    count: batchMessages,
  });
  const last = messages.at(-1);
  if (last !== undefined) place.next = last.offset + 1n;
  return messages;
}

/** The next messages of a place, which moves on; none: it has ended. What was removed meanwhile is passed over. */
export async function readNext(
  client: Client,
  topicPlace: TopicPlace,
  place: Place,
): Promise<readonly PolledMessage[]> {
  if (place.next >= place.end) return [];
  const { end, beforeMicros } = place;
  const messages = await pollFrom(client, topicPlace, place);
  const wanted = messages.filter(
    ({ offset, timestampMicros }) => offset < end && (beforeMicros === undefined || timestampMicros < beforeMicros),
  );
  if (wanted.length === 0 || wanted.length < messages.length) place.next = end;
  return wanted;
}
