// The topics of one stream.
import type { TopicHeader } from "../../client/console-client.ts";
import { type ListPage, newestMessages, type Sort, writeAddress } from "../app/address.ts";
import { adjust, open } from "../app/location.ts";
import { useLoaded } from "../data/loaded.ts";
import { mayChange } from "../data/rights.ts";
import { Filter } from "../parts/filter.tsx";
import { type Column, Grid } from "../parts/grid.tsx";
import { later } from "../parts/later.tsx";
import { LoadedPart, Notice } from "../parts/notice.tsx";
import { PageHead } from "../parts/page-head.tsx";
import { words } from "../words/en.ts";
import { count, duration, exactSize, size } from "../words/numbers.ts";
import { narrowed, type SortValue } from "./narrowed.ts";

const StreamActions = later(() => import("./stream-actions.tsx").then((file) => file.StreamActions));

const text = words.streamPage;
const u64Max = 2n ** 64n - 1n;

const columns: readonly Column<TopicHeader>[] = [
  { id: "name", title: words.streamsPage.name, cell: ({ name }) => name },
  { id: "partitions", title: text.partitions, isNumber: true, cell: ({ partitionsCount }) => count(partitionsCount) },
  {
    id: "messages",
    title: words.streamsPage.messages,
    isNumber: true,
    cell: ({ messagesCount }) => count(messagesCount),
  },
  {
    id: "size",
    title: words.streamsPage.size,
    isNumber: true,
    hint: ({ sizeBytes }) => exactSize(sizeBytes),
    cell: ({ sizeBytes }) => size(sizeBytes),
  },
  {
    id: "expiry",
    title: text.expiry,
    cell: ({ messageExpiryMicros }) => limitText(messageExpiryMicros, duration, text.never),
  },
  {
    id: "maxsize",
    title: text.maxSize,
    cell: ({ maxTopicSizeBytes }) => limitText(maxTopicSizeBytes, size, text.unlimited),
  },
];

const sortValues: Readonly<Record<string, (topic: TopicHeader) => SortValue>> = {
  name: ({ name }) => name,
  partitions: ({ partitionsCount }) => partitionsCount,
  messages: ({ messagesCount }) => messagesCount,
  size: ({ sizeBytes }) => sizeBytes,
  expiry: ({ messageExpiryMicros }) => messageExpiryMicros,
  maxsize: ({ maxTopicSizeBytes }) => maxTopicSizeBytes,
};

/** Of a setting where 0 is the default of the server and the largest number no limit (spec BP 3.13). */
function limitText(value: bigint, write: (value: bigint) => string, unlimited: string): string {
  if (value === 0n) return text.serverDefault;
  return value === u64Max ? unlimited : write(value);
}

export function StreamPage({ stream, q, sort }: ListPage & { readonly stream: string }) {
  const loaded = useLoaded(`stream ${stream}`, "", async (from) => ({ details: await from.getStream(stream) }), {
    kinds: ["stream", "topic", "user"],
  });
  const details = loaded.value?.details;
  const summary =
    details === undefined
      ? undefined
      : text.summary(details.topicsCount, details.messagesCount, size(details.sizeBytes));
  const show = (change: { readonly q?: string; readonly sort?: Sort }) =>
    adjust({ kind: "stream", stream, q, sort, ...change });
  return (
    <>
      <PageHead title={stream} summary={summary} steps={[{ name: words.streams, address: "/ui/streams" }]}>
        <Filter value={q} onChange={(next) => show({ q: next })} />
        {details === undefined ? null : (
          <a href={writeAddress({ kind: "streamSettings", stream })}>{words.topicPage.settings}</a>
        )}
        {details !== undefined && mayChange("createTopic", details.id) ? <StreamActions stream={details} /> : null}
      </PageHead>
      <LoadedPart loaded={loaded}>
        {({ details: found }) => {
          if (found === undefined) return <Notice>{text.missing(stream)}</Notice>;
          if (found.topics.length === 0) return <Notice>{text.none}</Notice>;
          const rows = narrowed(found.topics, q, sort, sortValues);
          if (rows.length === 0) return <Notice>{words.streamsPage.noHit(q)}</Notice>;
          return (
            <Grid
              label={words.streamsPage.topics}
              columns={columns}
              rows={rows}
              keyOf={({ id }) => `${stream} ${id}`}
              addressOf={({ name }) => writeAddress(newestMessages(stream, name))}
              onOpen={({ name }) => open(newestMessages(stream, name))}
              sort={sort}
              onSort={(next) => show({ sort: next })}
            />
          );
        }}
      </LoadedPart>
    </>
  );
}
