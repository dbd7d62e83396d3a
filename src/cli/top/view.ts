// What `whippet top` shows of an interval: which of its three tables, in which order, with which rows.

import { offsetText } from "../commands/group-lag.ts";
import type { Column, Table } from "../output/table.ts";
import { numberText, sizeWords } from "../output/words.ts";
import type { Changes, GroupChanges, TopicChanges } from "./changes.ts";
import type { ClientSample, PartitionSample } from "./sample.ts";

export const viewNames = ["topics", "groups", "clients"] as const;
export type ViewName = (typeof viewNames)[number];

/** What whoever looks has chosen. */
export interface Choices {
  readonly view: ViewName;
  /** How often the order was changed: which column sorts follows from it. */
  readonly sort: number;
  /** Rows must have it in one of their names, in any case. */
  readonly filter: string;
}

interface ColumnOf<Row> extends Column {
  readonly text: (row: Row) => string;
  /** Undefined: nothing is sorted by it. Numbers sort the largest first, texts as in a dictionary. */
  readonly order?: (row: Row) => number | string;
}

const topicColumns: readonly ColumnOf<TopicChanges>[] = [
  { head: "TOPIC", text: placeOf, order: placeOf },
  { head: "IN/s", isRight: true, text: (topic) => rateText(topic.inPerSecond), order: (topic) => topic.inPerSecond },
  { head: "OUT/s", isRight: true, text: (topic) => rateText(topic.outPerSecond), order: (topic) => topic.outPerSecond },
  {
    head: "SIZE",
    isRight: true,
    text: (topic) => sizeWords(topic.sizeBytes),
    order: (topic) => Number(topic.sizeBytes),
  },
  { head: "GROUPS", isRight: true, text: (topic) => String(topic.groups.length) },
  {
    head: "WORST LAG",
    isRight: true,
    text: ({ worst }) => (worst === undefined ? "–" : `${numberText(worst.lag)} ${worst.name}`),
    order: ({ worst }) => (worst === undefined ? -1 : Number(worst.lag)),
  },
];

interface GroupRow {
  readonly topic: TopicChanges;
  readonly group: GroupChanges;
  /** Undefined: the group as a whole. */
  readonly partition: PartitionSample | undefined;
}

const groupColumns: readonly ColumnOf<GroupRow>[] = [
  {
    head: "GROUP",
    text: ({ group, partition }) => (partition === undefined ? group.name : ""),
    order: ({ group }) => group.name,
  },
  { head: "TOPIC", text: ({ topic, partition }) => (partition === undefined ? placeOf(topic) : "") },
  {
    head: "MEMBERS",
    isRight: true,
    text: ({ group, partition }) => (partition === undefined ? numberText(group.membersCount) : ""),
  },
  {
    head: "OUT/s",
    isRight: true,
    text: ({ group, partition }) => (partition === undefined ? rateText(group.outPerSecond) : ""),
    order: ({ group }) => group.outPerSecond,
  },
  { head: "PARTITION", isRight: true, text: ({ partition }) => (partition === undefined ? "" : String(partition.id)) },
  {
    head: "COMMITTED",
    isRight: true,
    text: ({ partition }) => (partition === undefined ? "" : offsetText(partition.committed)),
  },
  { head: "HEAD", isRight: true, text: ({ partition }) => (partition === undefined ? "" : offsetText(partition.head)) },
  {
    head: "LAG",
    isRight: true,
    text: ({ group, partition }) => numberText((partition ?? group).lag),
    order: ({ group }) => Number(group.lag),
  },
];

const clientColumns: readonly ColumnOf<ClientSample>[] = [
  { head: "CLIENT", text: ({ address }) => address, order: ({ address }) => address },
  { head: "USER", text: ({ user }) => user ?? "–", order: ({ user }) => user ?? "" },
  { head: "TRANSPORT", text: ({ transport }) => transport, order: ({ transport }) => transport },
  { head: "GROUPS", text: ({ groups }) => groups.join(", "), order: ({ groups }) => groups.length },
];

/** Where each table begins to sort: what moves most, and what is furthest behind, comes first. */
const firstOrders: Readonly<Record<ViewName, string>> = { topics: "IN/s", groups: "LAG", clients: "CLIENT" };

/** The table of a view. */
export function tableOf(changes: Changes, choices: Choices): Table {
  switch (choices.view) {
    case "topics": {
      const rows = changes.topics.filter((topic) => matches(choices.filter, [placeOf(topic)]));
      return sorted(rows, topicColumns, choices, (topic) => [topic]);
    }
    case "groups": {
      const rows = changes.topics
        .flatMap((topic) => topic.groups.map((group): GroupRow => ({ topic, group, partition: undefined })))
        .filter(({ topic, group }) => matches(choices.filter, [group.name, placeOf(topic)]));
      return sorted(rows, groupColumns, choices, (row) => [
        row,
        ...row.group.partitions.map((partition) => ({ ...row, partition })),
      ]);
    }
    case "clients": {
      const rows = changes.clients.filter(({ address, user = "", groups }) =>
        matches(choices.filter, [address, user, ...groups]),
      );
      return sorted(rows, clientColumns, choices, (client) => [client]);
    }
  }
}

/** `shownOf`: the lines of a row, which stay together. */
function sorted<Row>(
  rows: readonly Row[],
  columns: readonly ColumnOf<Row>[],
  { view, sort }: Choices,
  shownOf: (row: Row) => readonly Row[],
): Table {
  const orders = columns.filter(({ order }) => order !== undefined);
  const first = orders.findIndex(({ head }) => head === firstOrders[view]);
  const chosen = orders[(first + sort) % orders.length];
  const { order } = chosen ?? {};
  const inOrder = order === undefined ? rows : rows.toSorted((one, other) => compared(order(one), order(other)));
  return {
    columns: columns.map(({ head, isRight = false, order: own }) => ({
      head: own !== undefined && head === chosen?.head ? `${head}▾` : head,
      isRight,
    })),
    rows: inOrder.flatMap(shownOf).map((row) => columns.map(({ text }) => text(row))),
  };
}

function compared(one: number | string, other: number | string): number {
  if (typeof one === "number" && typeof other === "number") return other - one;
  return String(one).localeCompare(String(other));
}

function matches(filter: string, names: readonly string[]): boolean {
  return names.some((name) => name.toLowerCase().includes(filter.toLowerCase()));
}

function placeOf({ streamName, name }: TopicChanges): string {
  return `${streamName}/${name}`;
}

/** Whole numbers from ten on, one decimal below. */
export function rateText(perSecond: number): string {
  return perSecond === 0 || perSecond >= 10 ? numberText(Math.round(perSecond)) : perSecond.toFixed(1);
}
