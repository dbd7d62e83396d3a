// The partitions of a topic: how the messages are spread over them, and which are not as they should be.
import { useState } from "preact/hooks";
import { type PartitionRecord, type TopicPartition, topicPartitions } from "../../../client/console-client.ts";
import { type Sort, writeAddress } from "../../app/address.ts";
import type { GroupPage } from "../../app/group-address.ts";
import { adjust, open } from "../../app/location.ts";
import { useLoaded } from "../../data/loaded.ts";
import { type Column, Grid } from "../../parts/grid.tsx";
import { LoadedPart, Notice } from "../../parts/notice.tsx";
import { TopicHead } from "../../parts/topic-head.tsx";
import { words } from "../../words/en.ts";
import { groupWords } from "../../words/groups.ts";
import { count, exactSize, localTime, size, utcTime } from "../../words/numbers.ts";

const text = groupWords.partitions;

type Row = {
  readonly record: PartitionRecord;
  readonly more: TopicPartition;
  /** Of all bytes of the topic. */
  readonly percent: number;
};

type State = keyof typeof text.states;

function stateOf({ fenced, closed }: TopicPartition): State {
  return closed ? "closed" : fenced ? "fenced" : "open";
}

/** Behind the newest message. */
function endOf({ record, more }: Row): bigint {
  return record.messagesCount === 0n ? BigInt(more.first) : record.currentOffset + 1n;
}

const columns: readonly Column<Row>[] = [
  { id: "partition", title: text.columns.partition, isNumber: true, cell: ({ record }) => count(record.id) },
  { id: "first", title: text.columns.first, isNumber: true, cell: ({ more }) => count(BigInt(more.first)) },
  { id: "end", title: text.columns.end, isNumber: true, cell: (row) => count(endOf(row)) },
  { id: "messages", title: text.columns.messages, isNumber: true, cell: ({ record }) => count(record.messagesCount) },
  {
    id: "size",
    title: text.columns.size,
    isNumber: true,
    hint: ({ record }) => exactSize(record.sizeBytes),
    cell: ({ record }) => size(record.sizeBytes),
  },
  {
    id: "share",
    title: text.columns.share,
    cell: ({ percent }) => (
      <span class="share">
        <meter min={0} max={100} value={percent} aria-hidden="true" />
        {text.share(percent)}
      </span>
    ),
  },
  { id: "parts", title: text.columns.segments, isNumber: true, cell: ({ record }) => count(record.segmentsCount) },
  {
    id: "oldest",
    title: text.columns.oldest,
    hint: ({ more }) => (more.oldest === undefined ? "" : utcTime(BigInt(more.oldest))),
    cell: ({ more }) => (more.oldest === undefined ? "–" : localTime(BigInt(more.oldest)).slice(0, 19)),
  },
  { id: "shard", title: text.columns.shard, isNumber: true, cell: ({ more }) => count(more.shard) },
  {
    id: "state",
    title: text.columns.state,
    cell: ({ more }) => {
      const state = stateOf(more);
      return state === "open" ? text.states.open : <span class="warn">{text.states[state]}</span>;
    },
  },
];

const sortValues: Readonly<Record<string, (row: Row) => bigint | number | string>> = {
  first: ({ more }) => BigInt(more.first),
  end: endOf,
  messages: ({ record }) => record.messagesCount,
  size: ({ record }) => record.sizeBytes,
  share: ({ percent }) => percent,
  parts: ({ record }) => record.segmentsCount,
  oldest: ({ more }) => BigInt(more.oldest ?? 0),
  shard: ({ more }) => more.shard,
  state: ({ more }) => stateOf(more),
};

function sorted(rows: readonly Row[], { column, isDescending }: Sort): readonly Row[] {
  const sortValue = sortValues[column] ?? (({ record }: Row) => record.id);
  const sign = isDescending ? -1 : 1;
  return rows.toSorted((left, right) => {
    const [a, b] = [sortValue(left), sortValue(right)];
    return a < b ? -sign : a > b ? sign : left.record.id - right.record.id;
  });
}

export function PartitionsPage({ page }: { readonly page: Extract<GroupPage, { kind: "partitions" }> }) {
  const { stream, topic } = page;
  const [after, setAfter] = useState(0);
  const loaded = useLoaded(
    `partitions ${stream} ${topic}`,
    String(after),
    async (from) => {
      const details = await from.getTopic(stream, topic);
      return { details, more: details && (await topicPartitions(stream, topic, after)) };
    },
    { kinds: ["topic", "user"] },
  );
  const sort = { column: page.sort.replace(/^-/, "") || "partition", isDescending: page.sort.startsWith("-") };
  const pageOf = ({ record }: Row) => ({ kind: "partition", stream, topic, partitionId: record.id }) as const;
  return (
    <>
      <TopicHead stream={stream} topic={topic} tab="partitions" details={loaded.value?.details} />
      <LoadedPart loaded={loaded}>
        {({ details, more }) => {
          if (details === undefined || more === undefined) return <Notice>{words.topicPage.missing(topic)}</Notice>;
          const byId = new Map(details.partitions.map((record) => [record.id, record]));
          const rows = more.items.flatMap((partition): Row[] => {
            const record = byId.get(partition.id);
            const percent = details.sizeBytes === 0n ? 0n : ((record?.sizeBytes ?? 0n) * 100n) / details.sizeBytes;
            return record === undefined ? [] : [{ record, more: partition, percent: Number(percent) }];
          });
          return (
            <>
              <Grid
                label={text.grid}
                columns={columns}
                rows={sorted(rows, sort)}
                keyOf={({ record }) => `${stream} ${topic} ${record.id}`}
                addressOf={(row) => writeAddress(pageOf(row))}
                onOpen={(row) => open(pageOf(row))}
                sort={sort}
                onSort={({ column, isDescending }) =>
                  adjust({
                    ...page,
                    sort: column === "partition" && !isDescending ? "" : `${isDescending ? "-" : ""}${column}`,
                  })
                }
              />
              {more.next === undefined && after === 0 ? null : (
                <div class="paging">
                  {more.next === undefined ? null : (
                    <button type="button" onClick={() => setAfter(more.next ?? 0)}>
                      {text.next}
                    </button>
                  )}
                  {after === 0 ? null : (
                    <button type="button" onClick={() => setAfter(0)}>
                      {text.first}
                    </button>
                  )}
                </div>
              )}
            </>
          );
        }}
      </LoadedPart>
    </>
  );
}
