// Addresses of the pages of groups, and of what else a topic has behind its messages: stored offsets and partitions.
import { encode, queryOf, root } from "./address-text.ts";

type TopicPlace = { readonly stream: string; readonly topic: string };

/** `lag`: those that are furthest behind first. */
export type GroupsSort = "lag" | "name";

export type GroupPage =
  | { readonly kind: "groups"; readonly q: string; readonly sort: GroupsSort }
  | ({ readonly kind: "topicGroups" } & TopicPlace)
  | ({ readonly kind: "group"; readonly group: string } & TopicPlace)
  | ({ readonly kind: "offsets"; readonly q: string } & TopicPlace)
  /** `sort`: a column, with `-` before it the other way round; empty: by their numbers. */
  | ({ readonly kind: "partitions"; readonly sort: string } & TopicPlace)
  | ({ readonly kind: "partition"; readonly partitionId: number } & TopicPlace);

const kinds: ReadonlySet<string> = new Set<GroupPage["kind"]>([
  "groups",
  "topicGroups",
  "group",
  "offsets",
  "partitions",
  "partition",
]);
const u32Max = 2 ** 32 - 1;

export const allGroups: GroupPage = { kind: "groups", q: "", sort: "lag" };

export function isGroupPage(page: { readonly kind: string }): page is GroupPage {
  return kinds.has(page.kind);
}

/** `parts`: of the path behind /ui, decoded. Undefined: the address is none of these pages'. */
export function readGroupAddress(parts: readonly string[], query: URLSearchParams): GroupPage | undefined {
  const [first, stream, topics, topic, tab, one] = parts;
  const q = query.get("q") ?? "";
  const sort = query.get("sort") ?? "";
  if (first === "groups" && parts.length === 1) return { kind: "groups", q, sort: sort === "name" ? "name" : "lag" };
  if (first !== "streams" || stream === undefined || topics !== "topics" || topic === undefined) return undefined;
  const place = { stream, topic };
  if (parts.length === 5) {
    if (tab === "groups") return { kind: "topicGroups", ...place };
    if (tab === "offsets") return { kind: "offsets", ...place, q };
    if (tab === "partitions") return { kind: "partitions", ...place, sort: /^-?[a-z]+$/.test(sort) ? sort : "" };
  }
  if (parts.length !== 6 || one === undefined) return undefined;
  if (tab === "groups") return { kind: "group", ...place, group: one };
  const partitionId = /^\d{1,10}$/.test(one) ? Number(one) : Number.NaN;
  return tab === "partitions" && partitionId <= u32Max ? { kind: "partition", ...place, partitionId } : undefined;
}

export function writeGroupAddress(page: GroupPage): string {
  if (page.kind === "groups")
    return `${root}/groups${queryOf({ q: page.q, sort: page.sort === "lag" ? "" : page.sort })}`;
  const topic = `${root}/streams/${encode(page.stream)}/topics/${encode(page.topic)}`;
  switch (page.kind) {
    case "topicGroups":
      return `${topic}/groups`;
    case "group":
      return `${topic}/groups/${encode(page.group)}`;
    case "offsets":
      return `${topic}/offsets${queryOf({ q: page.q })}`;
    case "partitions":
      return `${topic}/partitions${queryOf({ sort: page.sort })}`;
    default:
      return `${topic}/partitions/${page.partitionId}`;
  }
}
