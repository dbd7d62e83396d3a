// One partition: where it begins and ends, its segments, and what retention does next.
import { useState } from "preact/hooks";
import {
  type PartitionSegment,
  partitionSegments,
  type TopicDetails,
  type TopicOffsets,
  type TopicPartition,
  topicOffsets,
  topicPartitions,
} from "../../../client/console-client.ts";
import { newestMessages, writeAddress } from "../../app/address.ts";
import type { GroupPage } from "../../app/group-address.ts";
import { useLoaded } from "../../data/loaded.ts";
import { LoadedPart, Notice } from "../../parts/notice.tsx";
import { PageHead } from "../../parts/page-head.tsx";
import { topicSteps } from "../../parts/topic-head.tsx";
import { words } from "../../words/en.ts";
import { groupWords } from "../../words/groups.ts";
import { count, counted, localTime, size, utcTime } from "../../words/numbers.ts";
import { whoOf } from "./offset-row.ts";

const text = groupWords.partition;
const u64Max = 2n ** 64n - 1n;
/** Of consumers and groups: only who keeps segments is of interest here. */
const behindAll = `group:${2 ** 32 - 1}`;

type Holder = TopicOffsets["holdsRetention"][number];

export function PartitionPage({ page }: { readonly page: Extract<GroupPage, { kind: "partition" }> }) {
  const { stream, topic, partitionId } = page;
  const loaded = useLoaded(
    `partition ${stream} ${topic} ${partitionId}`,
    "",
    async (from) => {
      const details = await from.getTopic(stream, topic);
      const partitions = details && (await topicPartitions(stream, topic, partitionId));
      const found = partitions?.items.find(({ id }) => id === partitionId);
      const offsets = found && (await topicOffsets(stream, topic, behindAll));
      return { details, found, holder: offsets?.holdsRetention.find(({ partition }) => partition === partitionId) };
    },
    { kinds: ["topic", "user"] },
  );
  const record = loaded.value?.details?.partitions.find(({ id }) => id === partitionId);
  const summary =
    record &&
    text.summary(
      counted(record.messagesCount, "message"),
      size(record.sizeBytes),
      counted(record.segmentsCount, "segment"),
    );
  const steps = [
    ...topicSteps(stream),
    { name: topic, address: writeAddress(newestMessages(stream, topic)) },
    { name: groupWords.partitions.grid, address: writeAddress({ kind: "partitions", stream, topic, sort: "" }) },
  ];
  return (
    <>
      <PageHead title={text.title(partitionId)} summary={summary} steps={steps} />
      <LoadedPart loaded={loaded}>
        {({ details, found, holder }) => {
          if (details === undefined) return <Notice>{words.topicPage.missing(topic)}</Notice>;
          if (found === undefined) return <Notice>{text.missing(partitionId)}</Notice>;
          return <Found page={page} details={details} partition={found} holder={holder} />;
        }}
      </LoadedPart>
    </>
  );
}

function Found({
  page: { stream, topic, partitionId },
  details,
  partition,
  holder,
}: {
  readonly page: Extract<GroupPage, { kind: "partition" }>;
  readonly details: TopicDetails;
  readonly partition: TopicPartition;
  readonly holder: Holder | undefined;
}) {
  const record = details.partitions.find(({ id }) => id === partitionId);
  const { first, oldest, shard, fenced, closed } = partition;
  const range =
    record === undefined || record.messagesCount === 0n
      ? text.empty
      : text.range(count(BigInt(first)), count(record.currentOffset));
  const messages = writeAddress({ ...newestMessages(stream, topic), partitionId });
  return (
    <>
      {fenced ? <p class="notice bad">{text.fenced}</p> : null}
      {closed ? <p class="notice bad">{text.closed}</p> : null}
      {holder === undefined ? null : (
        <p class="notice">
          {text.keptFor(whoOf(holder.by), counted(holder.segments, "segment"), count(BigInt(holder.offset)))}{" "}
          <a href={writeAddress({ kind: "offsets", stream, topic, q: "" })}>{groupWords.offsets.grid}</a>
        </p>
      )}
      <dl>
        <dt>{text.offsets}</dt>
        <dd>{range}</dd>
        <dt>{text.oldest}</dt>
        <dd title={oldest === undefined ? undefined : utcTime(BigInt(oldest))}>
          {oldest === undefined ? text.empty : localTime(BigInt(oldest))}
        </dd>
        <dt>{text.shard}</dt>
        <dd>{count(shard)}</dd>
      </dl>
      <p>
        <a href={messages}>{text.messages}</a>
      </p>
      <h2>{text.segments}</h2>
      {closed ? null : <Segments stream={stream} topic={topic} partitionId={partitionId} details={details} />}
    </>
  );
}

function Segments({
  stream,
  topic,
  partitionId,
  details,
}: {
  readonly stream: string;
  readonly topic: string;
  readonly partitionId: number;
  readonly details: TopicDetails;
}) {
  const [after, setAfter] = useState<string | undefined>(undefined);
  const loaded = useLoaded(
    `segments ${stream} ${topic} ${partitionId}`,
    after ?? "",
    () => partitionSegments(stream, topic, partitionId, after),
    { kinds: ["topic"] },
  );
  return (
    <LoadedPart loaded={loaded}>
      {({ items, next }) => (
        <>
          {after === undefined ? <p>{retentionText(items, details.messageExpiryMicros)}</p> : null}
          <Bar segments={items} />
          <Table segments={items} />
          {next === undefined && after === undefined ? null : (
            <div class="paging">
              {next === undefined ? null : (
                <button type="button" onClick={() => setAfter(next)}>
                  {text.more}
                </button>
              )}
              {after === undefined ? null : (
                <button type="button" onClick={() => setAfter(undefined)}>
                  {text.again}
                </button>
              )}
            </div>
          )}
        </>
      )}
    </LoadedPart>
  );
}

/** What goes next, and when: a segment goes when its newest message is as old as messages may get. */
function retentionText(segments: readonly PartitionSegment[], expiryMicros: bigint): string {
  const oldest = segments.find(({ sealed }) => sealed);
  if (oldest === undefined) return text.onlyOpen;
  if (expiryMicros === u64Max || oldest.lastTimestamp === undefined) return text.never;
  const goes = BigInt(oldest.lastTimestamp) + expiryMicros;
  const start = count(BigInt(oldest.start));
  return goes <= BigInt(Date.now()) * 1000n ? text.expired(start) : text.expires(localTime(goes).slice(0, 19), start);
}

/** The segments as wide as they are large; the table below says the same in numbers. */
function Bar({ segments }: { readonly segments: readonly PartitionSegment[] }) {
  const total = segments.reduce((sum, { bytes }) => sum + Number(bytes), 0);
  if (total === 0) return null;
  let left = 0;
  const parts = segments.map(({ start, bytes, sealed }) => {
    const width = (Number(bytes) / total) * 1000;
    left += width;
    return { start, sealed, width, left: left - width };
  });
  return (
    <svg
      class="segments"
      viewBox="0 0 1000 24"
      preserveAspectRatio="none"
      role="img"
      aria-label={text.bar(counted(segments.length, "segment"))}
    >
      {parts.map(({ start, sealed, width, left: x }) => (
        <rect key={start} class={sealed ? "sealed" : "open"} x={x} y={0} width={Math.max(0, width - 1)} height={24} />
      ))}
    </svg>
  );
}

function Table({ segments }: { readonly segments: readonly PartitionSegment[] }) {
  const names = text.columns;
  const time = (micros: string | undefined) => (micros === undefined ? "–" : localTime(BigInt(micros)).slice(0, 19));
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keys (WCAG 2.1.1).
    <section class="scrolls tall" tabIndex={0} aria-label={text.segments}>
      <table class="plain">
        <thead>
          <tr>
            {[names.start, names.end, names.size, names.from, names.to, names.state].map((name) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {segments.map(({ start, end, bytes, firstTimestamp, lastTimestamp, sealed }) => (
            <tr key={start}>
              <td>{count(BigInt(start))}</td>
              <td>{end === start ? "–" : count(BigInt(end) - 1n)}</td>
              <td>{size(BigInt(bytes))}</td>
              <td>{time(firstTimestamp)}</td>
              <td>{time(lastTimestamp)}</td>
              <td>{sealed ? text.sealed : text.open}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
