// One group: why it is behind, and where it stands in each partition.
import { useState } from "preact/hooks";
import {
  ConsoleError,
  type GroupLag,
  groupHistory,
  IggyError,
  type LagMember,
  type LagPartition,
} from "../../../client/console-client.ts";
import { newestMessages, type Page, writeAddress } from "../../app/address.ts";
import type { GroupPage as GroupAddress } from "../../app/group-address.ts";
import { open } from "../../app/location.ts";
import { useLag } from "../../data/lag.ts";
import { useLoaded } from "../../data/loaded.ts";
import { isReadOnly } from "../../data/rights.ts";
import { pointsOf } from "../../data/series.ts";
import { type Diagnosis, diagnose, memberOf } from "../../groups/verdict.ts";
import { Chart } from "../../parts/chart.tsx";
import { type Column, Grid } from "../../parts/grid.tsx";
import { LoadedPart, Notice } from "../../parts/notice.tsx";
import { PageHead } from "../../parts/page-head.tsx";
import { Sparkline } from "../../parts/sparkline.tsx";
import { topicSteps } from "../../parts/topic-head.tsx";
import { groupWords } from "../../words/groups.ts";
import { count, utcTime } from "../../words/numbers.ts";
import { ago, headline, memberText, rateText, remarkText, verdictText } from "../../words/verdicts.ts";
import { MoveOffsetsDialog } from "./move-offsets.tsx";
import { RemoveGroupDialog } from "./remove-group.tsx";

const text = groupWords.group;
const all = groupWords.all;
/** Samples of 2 s. */
const rateSpan = 5;
const pointsMax = 300;

export function GroupPage({ page }: { readonly page: Extract<GroupAddress, { kind: "group" }> }) {
  const { stream, topic, group } = page;
  const loaded = useLag(page);
  const [dialog, setDialog] = useState<"move" | "remove" | undefined>(undefined);
  const last = loaded.value?.at(-1);
  const steps = [
    ...topicSteps(stream),
    { name: topic, address: writeAddress(newestMessages(stream, topic)) },
    { name: all.title, address: writeAddress({ kind: "topicGroups", stream, topic }) },
  ];
  const isMissing = IggyError.is(loaded.error, "ConsumerGroupIdNotFound", "TopicIdNotFound", "StreamIdNotFound");
  return (
    <>
      <PageHead title={text.title(group)} steps={steps}>
        {isReadOnly() || last === undefined || isMissing ? null : (
          <div class="buttons">
            <button type="button" onClick={() => setDialog("move")}>
              {text.move}
            </button>
            <button type="button" onClick={() => setDialog("remove")}>
              {text.remove}
            </button>
          </div>
        )}
      </PageHead>
      {isMissing ? (
        <Notice>{text.missing(group)}</Notice>
      ) : (
        <LoadedPart loaded={loaded}>{(samples) => <Found page={page} samples={samples} />}</LoadedPart>
      )}
      {dialog === "move" && last !== undefined ? (
        <MoveOffsetsDialog place={{ stream, topic, group }} onClose={() => setDialog(undefined)} />
      ) : null}
      {dialog === "remove" && last !== undefined ? (
        <RemoveGroupDialog
          place={{ stream, topic, group }}
          partitions={last.partitions.length}
          onClose={() => setDialog(undefined)}
        />
      ) : null}
    </>
  );
}

function Found({
  page,
  samples,
}: {
  readonly page: Extract<GroupAddress, { kind: "group" }>;
  readonly samples: readonly GroupLag[];
}) {
  const last = samples.at(-1)!;
  const at = BigInt(last.at);
  const diagnosis = diagnose(samples);
  return (
    <>
      <VerdictPart diagnosis={diagnosis} at={at} />
      <h2>{text.now}</h2>
      <Numbers diagnosis={diagnosis} samples={samples} />
      <Day page={page} />
      <h2>{text.partitions}</h2>
      {last.more === 0 ? null : <p>{text.more(last.partitions.length, last.more)}</p>}
      <PartitionsGrid page={page} sample={last} />
      <p class="muted">{text.openNote}</p>
      <h2>{text.members}</h2>
      {last.members.length === 0 ? <p>{text.noMembers}</p> : <Members members={last.members} />}
    </>
  );
}

function VerdictPart({ diagnosis, at }: { readonly diagnosis: Diagnosis; readonly at: bigint }) {
  const isGood = ["empty", "upToDate", "catchingUp"].includes(diagnosis.verdict.code);
  const sentence = verdictText(diagnosis, at);
  return (
    <section aria-label={text.verdict}>
      <p class={`health ${isGood ? "ok" : diagnosis.verdict.code === "measuring" ? "" : "warn"}`}>
        {headline(diagnosis, at)}
      </p>
      {sentence === "" ? null : (
        <p class="verdict" data-verdict={diagnosis.verdict.code}>
          {sentence}
        </p>
      )}
      {diagnosis.remarks.map((remark) => (
        <p key={`${remark.code} ${remark.partition}`}>{remarkText(remark)}</p>
      ))}
    </section>
  );
}

function Numbers({ diagnosis, samples }: { readonly diagnosis: Diagnosis; readonly samples: readonly GroupLag[] }) {
  const lags = samples.map(({ partitions }) => Number(totalOf(partitions, ({ lag }) => BigInt(lag))));
  const rates = (count: (partition: LagPartition) => bigint) =>
    samples.map((sample, index) => {
      const before = samples[index - rateSpan];
      if (before === undefined) return null;
      const micros = Number(BigInt(sample.at) - BigInt(before.at));
      const moved = totalOf(sample.partitions, count) - totalOf(before.partitions, count);
      return micros === 0 ? null : Math.max(0, (Number(moved) * 1e6) / micros);
    });
  const seen = BigInt(samples.at(-1)!.at) - BigInt(samples[0]!.at);
  const tiles = [
    [text.lag, count(diagnosis.lag), lags],
    [text.inRate, rateOrDash(diagnosis.inRate), rates(({ end }) => BigInt(end))],
    [
      text.outRate,
      rateOrDash(diagnosis.outRate),
      rates(({ stored }) => (stored === undefined ? 0n : BigInt(stored) + 1n)),
    ],
    [text.members, count(samples.at(-1)!.members.length), samples.map(({ members }) => members.length)],
  ] as const;
  return (
    <>
      <dl class="tiles">
        {tiles.map(([name, value, values]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>
              {value}
              <Sparkline values={values} />
            </dd>
          </div>
        ))}
      </dl>
      {samples.length < 2 ? null : <p class="muted">{text.trendNote(ago(0n, seen))}</p>}
    </>
  );
}

/** Not there where the broker keeps no history. */
function Day({ page: { stream, topic, group } }: { readonly page: Extract<GroupAddress, { kind: "group" }> }) {
  const loaded = useLoaded(JSON.stringify(["group history", stream, topic, group]), "", async () =>
    pointsOf(await groupHistory({ stream, topic, group }, pointsMax)),
  );
  if (loaded.error instanceof ConsoleError && loaded.error.code === "feature_unavailable") return null;
  return (
    <LoadedPart loaded={loaded}>
      {(points) => (
        <Chart
          title={text.day}
          lines={[{ series: "lag", label: text.dayLabel }]}
          points={points}
          write={(value) => count(Math.round(value))}
        />
      )}
    </LoadedPart>
  );
}

function rateOrDash(rate: number | undefined): string {
  return rate === undefined ? "–" : rateText(Math.max(0, rate));
}

function totalOf(partitions: readonly LagPartition[], count: (partition: LagPartition) => bigint): bigint {
  return partitions.reduce((total, partition) => total + count(partition), 0n);
}

function PartitionsGrid({
  page,
  sample,
}: {
  readonly page: Extract<GroupAddress, { kind: "group" }>;
  readonly sample: GroupLag;
}) {
  const { members, partitions } = sample;
  const at = BigInt(sample.at);
  const optional = (value: string | undefined) => (value === undefined ? "–" : count(BigInt(value)));
  const age = (value: string | undefined, absent: string) =>
    value === undefined ? absent : all.ago(ago(BigInt(value), at));
  const hint = (value: string | undefined) => (value === undefined ? "" : utcTime(BigInt(value)));
  const columns: readonly Column<LagPartition>[] = [
    { id: "partition", title: text.columns.partition, isNumber: true, cell: ({ id }) => count(id) },
    { id: "first", title: text.columns.first, isNumber: true, cell: ({ first }) => count(BigInt(first)) },
    { id: "stored", title: text.columns.stored, isNumber: true, cell: ({ stored }) => optional(stored) },
    { id: "end", title: text.columns.end, isNumber: true, cell: ({ end }) => count(BigInt(end)) },
    { id: "lag", title: text.columns.lag, isNumber: true, cell: ({ lag }) => count(BigInt(lag)) },
    {
      id: "unread",
      title: text.columns.unread,
      hint: ({ unreadSince }) => hint(unreadSince),
      cell: ({ unreadSince }) => age(unreadSince, "–"),
    },
    { id: "sent", title: text.columns.sent, isNumber: true, cell: ({ polled }) => optional(polled) },
    {
      id: "committed",
      title: text.columns.committed,
      hint: ({ committedAt }) => hint(committedAt),
      cell: ({ committedAt }) => age(committedAt, all.notSince),
    },
    {
      id: "member",
      title: text.columns.member,
      hint: ({ id }) => memberName(memberOf(members, id)),
      cell: ({ id }) => memberName(memberOf(members, id)),
    },
  ];
  const messagesOf = ({ id, first, stored }: LagPartition): Page => {
    const next = stored === undefined ? BigInt(first) : BigInt(stored) + 1n;
    const from = { kind: "offset", offset: next } as const;
    return { ...newestMessages(page.stream, page.topic), partitionId: id, from, direction: "newer" };
  };
  return (
    <Grid
      label={text.partitions}
      columns={columns}
      rows={partitions}
      keyOf={({ id }) => `${page.group} ${id}`}
      addressOf={(partition) => writeAddress(messagesOf(partition))}
      onOpen={(partition) => open(messagesOf(partition))}
    />
  );
}

function memberName(member: LagMember | undefined): string {
  return member === undefined ? "–" : memberText(member);
}

function Members({ members }: { readonly members: readonly LagMember[] }) {
  const names = text.memberColumns;
  const isHidden = members.every(({ address }) => address === undefined);
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keys. */}
      <section class="scrolls" tabIndex={0} aria-label={text.members}>
        <table class="plain">
          <thead>
            <tr>
              <th scope="col">{names.client}</th>
              <th scope="col">{names.partitions}</th>
              {isHidden ? null : <th scope="col">{names.user}</th>}
              {isHidden ? null : <th scope="col">{names.address}</th>}
            </tr>
          </thead>
          <tbody>
            {members.map(({ clientId, partitions, user, address }) => (
              <tr key={clientId}>
                <td>{isHidden ? clientId : <a href={writeAddress({ kind: "client", clientId })}>{clientId}</a>}</td>
                <td>{partitions.join(", ") || "–"}</td>
                {isHidden ? null : <td>{user ?? "–"}</td>}
                {isHidden ? null : <td>{address ?? "–"}</td>}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      {isHidden ? <p class="muted">{text.hidden}</p> : null}
    </>
  );
}
