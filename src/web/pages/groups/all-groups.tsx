// All groups that the user may see, those that are furthest behind first.
import type { GroupRow } from "../../../client/console-client.ts";
import { writeAddress } from "../../app/address.ts";
import type { GroupPage, GroupsSort } from "../../app/group-address.ts";
import { adjust, open } from "../../app/location.ts";
import { useGroups } from "../../data/lag.ts";
import { Field } from "../../parts/field.tsx";
import { Filter } from "../../parts/filter.tsx";
import { type Column, Grid } from "../../parts/grid.tsx";
import { LoadedPart, Notice } from "../../parts/notice.tsx";
import { PageHead } from "../../parts/page-head.tsx";
import { groupWords } from "../../words/groups.ts";
import { count } from "../../words/numbers.ts";
import { ago } from "../../words/verdicts.ts";

const text = groupWords.all;
const sorts = ["lag", "name"] as const;
const rowsMax = 500;

export function groupColumns(at: bigint, hasTopic: boolean): readonly Column<GroupRow>[] {
  const columns: readonly Column<GroupRow>[] = [
    { id: "group", title: text.columns.group, cell: ({ name }) => name },
    { id: "place", title: text.columns.place, cell: ({ stream, topic }) => `${stream}/${topic}` },
    { id: "lag", title: text.columns.lag, isNumber: true, cell: ({ lag }) => count(BigInt(lag)) },
    {
      id: "trend",
      title: text.columns.trend,
      cell: ({ growing }) =>
        growing === null ? text.trend.unknown : growing ? <span class="warn">{text.trend.up}</span> : text.trend.steady,
    },
    { id: "members", title: text.columns.members, isNumber: true, cell: ({ members }) => count(members) },
    { id: "parts", title: text.columns.partitions, isNumber: true, cell: ({ partitions }) => count(partitions) },
    {
      id: "committed",
      title: text.columns.committed,
      cell: ({ lastCommit }) => (lastCommit === undefined ? text.notSince : text.ago(ago(BigInt(lastCommit), at))),
    },
  ];
  return hasTopic ? columns : columns.filter(({ id }) => id !== "place");
}

export function groupPage({ stream, topic, name }: GroupRow): GroupPage {
  return { kind: "group", stream, topic, group: name };
}

export function GroupsPage({ page }: { readonly page: Extract<GroupPage, { kind: "groups" }> }) {
  const { q, sort } = page;
  const loaded = useGroups({ sort, q, limit: rowsMax });
  const { value } = loaded;
  return (
    <>
      <PageHead title={text.title} summary={value && text.summary(value.items.length, value.next !== undefined)}>
        <div class="controls">
          <Filter value={q} onChange={(next) => adjust({ ...page, q: next })} />
          <Field label={text.sort} isInline>
            {(id) => (
              <select
                id={id}
                value={sort}
                onChange={({ currentTarget }) => adjust({ ...page, sort: currentTarget.value as GroupsSort })}
              >
                {sorts.map((name) => (
                  <option key={name} value={name}>
                    {text.sorts[name]}
                  </option>
                ))}
              </select>
            )}
          </Field>
        </div>
      </PageHead>
      <LoadedPart loaded={loaded}>
        {({ items, next, at }) => {
          if (items.length === 0) return <Notice>{q.trim() === "" ? text.none : text.noHit(q)}</Notice>;
          return (
            <>
              <Grid
                label={text.title}
                columns={groupColumns(BigInt(at), true)}
                rows={items}
                keyOf={({ stream, topic, id }) => JSON.stringify([stream, topic, id])}
                addressOf={(row) => writeAddress(groupPage(row))}
                onOpen={(row) => open(groupPage(row))}
              />
              {next === undefined ? null : <p>{text.more}</p>}
              <p class="muted">{text.note}</p>
            </>
          );
        }}
      </LoadedPart>
    </>
  );
}
