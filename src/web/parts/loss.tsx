// What a deletion or a purge takes with it, as it is now: not as the page behind the dialog has it.
import type { ConsoleBroker } from "../../client/console-client.ts";
import { useLoaded } from "../data/loaded.ts";
import { manage as text } from "../words/manage.ts";
import { size } from "../words/numbers.ts";
import { LoadedPart } from "./notice.tsx";

/** In more topics groups are not counted. */
const countedTopicsMax = 50;

async function ofStream(from: ConsoleBroker, streamId: number, hasGroups: boolean): Promise<readonly string[]> {
  const stream = await from.getStream(streamId);
  if (stream === undefined) return [text.isGone];
  const { topics, messagesCount, sizeBytes } = stream;
  if (!hasGroups) return [text.messagesPart(messagesCount), size(sizeBytes)];
  const groups =
    topics.length > countedTopicsMax
      ? undefined
      : await Promise.all(topics.map(({ id }) => from.getConsumerGroups(streamId, id)));
  const groupsCount = groups?.reduce((sum, { length }) => sum + length, 0);
  return [
    text.topicsPart(topics.length),
    text.messagesPart(messagesCount),
    size(sizeBytes),
    text.groupsPart(groupsCount),
  ];
}

async function ofTopic(
  from: ConsoleBroker,
  streamId: number,
  topicId: number,
  hasGroups: boolean,
): Promise<readonly string[]> {
  const topic = await from.getTopic(streamId, topicId);
  if (topic === undefined) return [text.isGone];
  const all = [text.messagesPart(topic.messagesCount), size(topic.sizeBytes)];
  return hasGroups ? [...all, text.groupsPart((await from.getConsumerGroups(streamId, topicId)).length)] : all;
}

/** `hasGroups`: groups go, too. */
export function Loss({
  streamId,
  topicId,
  hasGroups,
}: {
  readonly streamId: number;
  readonly topicId?: number | undefined;
  readonly hasGroups: boolean;
}) {
  const loaded = useLoaded(`loss ${streamId} ${topicId} ${hasGroups}`, "", (from) =>
    topicId === undefined ? ofStream(from, streamId, hasGroups) : ofTopic(from, streamId, topicId, hasGroups),
  );
  return <LoadedPart loaded={loaded}>{(parts) => <p>{text.goes(parts)}</p>}</LoadedPart>;
}
