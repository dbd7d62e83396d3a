// Topics that the own rights name, of streams that the user may not see: all that who may use one topic has.
import { newestMessages, writeAddress } from "../app/address.ts";
import { open } from "../app/location.ts";
import { may, maySend, type OwnTopic } from "../data/rights.ts";
import { type Column, Grid } from "../parts/grid.tsx";
import { words } from "../words/en.ts";

const text = words.streamsPage;

const columns: readonly Column<OwnTopic>[] = [
  { id: "name", title: text.topic, cell: ({ stream, topic }) => `${stream} / ${topic}` },
  { id: "may", title: text.may, cell: (row) => mayText(row) },
];

function mayText({ streamId, topicId }: OwnTopic): string {
  const parts = [
    may("pollMessages", streamId, topicId) ? text.mayRead : "",
    maySend(topicId) ? text.maySend : "",
    may("updateTopic", streamId, topicId) ? text.mayManage : "",
  ];
  return parts.filter((part) => part !== "").join(", ");
}

function pageOf({ streamId, topicId, stream, topic }: OwnTopic) {
  return may("pollMessages", streamId, topicId)
    ? newestMessages(stream, topic)
    : ({ kind: "publish", stream, topic, from: "" } as const);
}

export function OwnTopics({ rows }: { readonly rows: readonly OwnTopic[] }) {
  return (
    <Grid
      label={text.ownTopics}
      columns={columns}
      rows={rows}
      keyOf={({ streamId, topicId }) => `${streamId} ${topicId}`}
      addressOf={(row) => writeAddress(pageOf(row))}
      onOpen={(row) => open(pageOf(row))}
    />
  );
}
