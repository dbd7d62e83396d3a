// Whose offsets are stored in a topic, and which of them keeps old segments.
import { useState } from "preact/hooks";
import { consumerNumber, type TopicOffsets, topicOffsets } from "../../../client/console-client.ts";
import { newestMessages, type Page, writeAddress } from "../../app/address.ts";
import type { GroupPage } from "../../app/group-address.ts";
import { adjust, open } from "../../app/location.ts";
import { useLoaded } from "../../data/loaded.ts";
import { isReadOnly } from "../../data/rights.ts";
import { Filter } from "../../parts/filter.tsx";
import { type Column, Grid } from "../../parts/grid.tsx";
import { LoadedPart, Notice } from "../../parts/notice.tsx";
import { TopicHead } from "../../parts/topic-head.tsx";
import { words } from "../../words/en.ts";
import { groupWords } from "../../words/groups.ts";
import { count, counted } from "../../words/numbers.ts";
import { type OffsetRow, whoOf } from "./offset-row.ts";
import { RemoveOffsetDialog } from "./remove-offset.tsx";
import { useTopic } from "./topic-groups.tsx";

const text = groupWords.offsets;

function rowsOf({ items, holdsRetention }: TopicOffsets): readonly OffsetRow[] {
  const key = (kind: string, id: number, partition: number) => `${kind} ${id} ${partition}`;
  const held = new Map(holdsRetention.map(({ by, partition, segments }) => [key(by.kind, by.id, partition), segments]));
  return items.flatMap((consumer) =>
    consumer.offsets.map(({ partition, offset, end }) => ({
      consumer,
      partition,
      stored: BigInt(offset),
      end: BigInt(end),
      segments: held.get(key(consumer.kind, consumer.id, partition)) ?? 0,
    })),
  );
}

/** By name, by number, and by a name whose hash is the number. */
function narrowed(rows: readonly OffsetRow[], query: string): readonly OffsetRow[] {
  const wanted = query.trim();
  if (wanted === "") return rows;
  const hash = consumerNumber(wanted);
  return rows.filter(({ consumer: { kind, id, name } }) => {
    if (String(id) === wanted || (kind === "consumer" && id === hash)) return true;
    return name?.toLowerCase().includes(wanted.toLowerCase()) ?? false;
  });
}

export function OffsetsPage({ page }: { readonly page: Extract<GroupPage, { kind: "offsets" }> }) {
  const { stream, topic, q } = page;
  const [after, setAfter] = useState<string | undefined>(undefined);
  const [removed, setRemoved] = useState<OffsetRow | undefined>(undefined);
  const found = useTopic(stream, topic);
  const loaded = useLoaded(`offsets ${stream} ${topic}`, after ?? "", () => topicOffsets(stream, topic, after), {
    kinds: ["topic", "group"],
  });
  const messagesOf = ({ partition, stored }: OffsetRow): Page => {
    const from = { kind: "offset", offset: stored } as const;
    return { ...newestMessages(stream, topic), partitionId: partition, from, direction: "newer" };
  };
  const columns: readonly Column<OffsetRow>[] = [
    {
      id: "who",
      title: text.columns.who,
      hint: ({ consumer }) => String(consumer.id),
      cell: ({ consumer }) => whoOf(consumer),
    },
    { id: "partition", title: text.columns.partition, isNumber: true, cell: ({ partition }) => count(partition) },
    { id: "stored", title: text.columns.stored, isNumber: true, cell: ({ stored }) => count(stored) },
    {
      id: "lag",
      title: text.columns.lag,
      isNumber: true,
      cell: ({ stored, end }) => count(end > stored + 1n ? end - 1n - stored : 0n),
    },
    {
      id: "holds",
      title: text.columns.holds,
      cell: ({ segments }) =>
        segments === 0 ? "" : <span class="warn">{text.holds(counted(segments, "segment"))}</span>,
    },
    {
      id: "action",
      title: text.columns.action,
      cell: (row) => (
        <button
          type="button"
          onClick={(event) => {
            event.stopPropagation();
            setRemoved(row);
          }}
        >
          {text.remove}
        </button>
      ),
    },
  ];
  return (
    <>
      <TopicHead stream={stream} topic={topic} tab="offsets" details={found.value?.details}>
        <div class="controls">
          <Filter value={q} onChange={(next) => adjust({ ...page, q: next })} />
        </div>
      </TopicHead>
      <p class="muted">{text.note}</p>
      <LoadedPart loaded={found}>
        {({ details }) => (details === undefined ? <Notice>{words.topicPage.missing(topic)}</Notice> : null)}
      </LoadedPart>
      {found.value?.details === undefined ? null : (
        <LoadedPart loaded={loaded}>
          {(offsets) => {
            const rows = narrowed(rowsOf(offsets), q);
            if (offsets.items.length === 0 && after === undefined) return <Notice>{text.none}</Notice>;
            return (
              <>
                {rows.length === 0 ? (
                  <Notice>{text.noHit(q)}</Notice>
                ) : (
                  <Grid
                    label={text.grid}
                    columns={isReadOnly() ? columns.filter(({ id }) => id !== "action") : columns}
                    rows={rows}
                    keyOf={({ consumer, partition }) => `${consumer.kind} ${consumer.id} ${partition}`}
                    addressOf={(row) => writeAddress(messagesOf(row))}
                    onOpen={(row) => open(messagesOf(row))}
                  />
                )}
                <Paging after={after} next={offsets.next} onPage={setAfter} />
              </>
            );
          }}
        </LoadedPart>
      )}
      {removed === undefined ? null : (
        <RemoveOffsetDialog stream={stream} topic={topic} row={removed} onClose={() => setRemoved(undefined)} />
      )}
    </>
  );
}

/** Only where there is more than one answer has. */
function Paging({
  after,
  next,
  onPage,
}: {
  readonly after: string | undefined;
  readonly next: string | undefined;
  readonly onPage: (after: string | undefined) => void;
}) {
  if (after === undefined && next === undefined) return null;
  return (
    <div class="paging">
      {next === undefined ? null : <span>{text.more}</span>}
      {next === undefined ? null : (
        <button type="button" onClick={() => onPage(next)}>
          {text.next}
        </button>
      )}
      {after === undefined ? null : (
        <button type="button" onClick={() => onPage(undefined)}>
          {text.first}
        </button>
      )}
    </div>
  );
}
