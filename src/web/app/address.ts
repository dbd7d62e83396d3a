// Addresses of the console's pages and what they mean: whatever changes what is seen is in the address, so that going back,
// reloading and a link that somebody sends give the same view. Pure; the history of the browser is in location.ts.

import { encode, queryOf, root, segmentsOf } from "./address-text.ts";
import { type AdminPage, isAdminPage, readAdminAddress, writeAdminAddress } from "./admin-address.ts";
import { type GroupPage, isGroupPage, readGroupAddress, writeGroupAddress } from "./group-address.ts";
import { isObservePage, type ObservePage, readObserveAddress, writeObserveAddress } from "./observe-address.ts";

/** Where in a partition, or in several at once, a view of messages begins. */
export type Position =
  | { readonly kind: "newest" }
  | { readonly kind: "oldest" }
  | { readonly kind: "offset"; readonly offset: bigint }
  /** `text`: as the person wrote it, a date that `Date` reads. */
  | { readonly kind: "time"; readonly text: string }
  /** An offset for each partition: where the page before this one ended. */
  | { readonly kind: "each"; readonly offsets: readonly (readonly [partitionId: number, offset: bigint])[] };

/** Which way from the position, and which row comes first. */
export type Direction = "older" | "newer";

export const formats = ["auto", "json", "text", "hex", "base64", "messagepack", "cbor", "avro", "protobuf"] as const;
export type Format = (typeof formats)[number];

export type Sort = { readonly column: string; readonly isDescending: boolean };

export type ListPage = { readonly q: string; readonly sort: Sort };

export type MessagesPage = {
  readonly kind: "messages";
  readonly stream: string;
  readonly topic: string;
  /** Undefined: all. */
  readonly partitionId: number | undefined;
  readonly from: Position;
  readonly direction: Direction;
  /** Most rows. */
  readonly count: number;
  /** Messages are shown as they come, and the position is that of a view that stands still. */
  readonly isLive: boolean;
  /** What is searched for (messages/search-grammar.ts); empty: nothing. */
  readonly q: string;
  /** How far a search goes before it asks. */
  readonly scan: ScanLimit;
};

/** Messages that a search looks at; bytes and time follow from it (messages/search.ts). */
export const scanLimits = ["10k", "100k", "1m"] as const;
export type ScanLimit = (typeof scanLimits)[number];
export const scanDefault: ScanLimit = "100k";

export type MessagePage = {
  readonly kind: "message";
  readonly stream: string;
  readonly topic: string;
  readonly partitionId: number;
  readonly offset: bigint;
  readonly format: Format;
  /** Name of a schema that this browser keeps (data/schemas.ts); empty: the one that the topic is read by. */
  readonly schema: string;
};

export type PublishPage = {
  readonly kind: "publish";
  readonly stream: string;
  readonly topic: string;
  /** Messages that are sent again, as `0:12,1:5-9` (messages/places.ts); empty: a new one. */
  readonly from: string;
};

export type Page =
  | ({ readonly kind: "streams" } & ListPage)
  | ({ readonly kind: "stream"; readonly stream: string } & ListPage)
  | MessagesPage
  | MessagePage
  | AdminPage
  | GroupPage
  | ObservePage
  | PublishPage
  /** `home`: whatever is first for the user. */
  | { readonly kind: "home" | "account" | "help" }
  | { readonly kind: "signIn"; readonly next: string }
  | { readonly kind: "unknown" };

export const countDefault = 50;
export const countMax = 500;
export const sortDefault: Sort = { column: "name", isDescending: false };
const u64Max = 2n ** 64n - 1n;
const u32Max = 2 ** 32 - 1;

/** Page of an address, `path` from `/ui` on. */
export function readAddress(path: string, search: string): Page {
  const query = new URLSearchParams(search);
  const parts = segmentsOf(path);
  if (parts === undefined) return { kind: "unknown" };
  const [first, stream, topics, topic, ...rest] = parts;
  if (first === undefined) return { kind: "home" };
  if (parts.length === 1 && (first === "help" || first === "account")) return { kind: first };
  const own = readAdminAddress(parts, query) ?? readObserveAddress(parts, query) ?? readGroupAddress(parts, query);
  if (own !== undefined) return own;
  if (parts.length === 1 && first === "sign-in") return { kind: "signIn", next: ownAddress(query.get("next")) };
  if (first !== "streams") return { kind: "unknown" };
  if (stream === undefined) return { kind: "streams", ...listOf(query) };
  if (topics === undefined) return { kind: "stream", stream, ...listOf(query) };
  if (topics !== "topics" || topic === undefined) return { kind: "unknown" };
  const [tab = "messages", partition, offset] = rest;
  if (tab === "publish" && rest.length === 1) return { kind: tab, stream, topic, from: query.get("from") ?? "" };
  if (tab !== "messages" || rest.length > 3) return { kind: "unknown" };
  if (partition === undefined) return messagesPage(stream, topic, query);
  const partitionId = readPartition(partition);
  const offsetRead = offset === undefined ? undefined : readOffset(offset);
  if (partitionId === undefined || offsetRead === undefined) return { kind: "unknown" };
  const [format, schema] = [formatOf(query.get("fmt")), query.get("schema") ?? ""];
  return { kind: "message", stream, topic, partitionId, offset: offsetRead, format, schema };
}

/** Address of a page. What is as it would be anyway is left out. */
export function writeAddress(page: Page): string {
  if (isAdminPage(page)) return writeAdminAddress(page);
  if (isObservePage(page)) return writeObserveAddress(page);
  if (isGroupPage(page)) return writeGroupAddress(page);
  switch (page.kind) {
    case "streams":
      return `${root}/streams${listQuery(page)}`;
    case "stream":
      return `${root}/streams/${encode(page.stream)}${listQuery(page)}`;
    case "messages":
      return `${topicRoot(page)}/messages${messagesQuery(page)}`;
    case "message": {
      const { partitionId, offset, format, schema } = page;
      const query = queryOf({ fmt: format === "auto" ? "" : format, schema });
      return `${topicRoot(page)}/messages/${partitionId}/${offset}${query}`;
    }
    case "publish":
      return `${topicRoot(page)}/publish${queryOf({ from: page.from })}`;
    case "signIn":
      return `${root}/sign-in${queryOf({ next: page.next === root ? "" : page.next })}`;
    case "home":
      return root;
    case "unknown":
      return `${root}/streams`;
    default:
      return `${root}/${page.kind}`;
  }
}

/** The messages of a topic as they are shown first: the newest of all partitions. */
export function newestMessages(stream: string, topic: string): MessagesPage {
  const direction = "older";
  return {
    kind: "messages",
    stream,
    topic,
    partitionId: undefined,
    from: { kind: "newest" },
    direction,
    count: countDefault,
    isLive: false,
    q: "",
    scan: scanDefault,
  };
}

/** Which way a view goes that does not say so: back from the newest message, forward from everywhere else. */
export function directionFrom({ kind }: Position): Direction {
  return kind === "newest" ? "older" : "newer";
}

/** A position as it stands in an address. */
export function writePosition(position: Position): string {
  switch (position.kind) {
    case "offset":
      return `o:${position.offset}`;
    case "time":
      return `t:${position.text}`;
    case "each":
      return `e:${position.offsets.map(([partitionId, offset]) => `${partitionId}.${offset}`).join(",")}`;
    default:
      return position.kind;
  }
}

/** What is no position is the newest message. */
export function readPosition(text: string): Position {
  if (text === "oldest") return { kind: "oldest" };
  const [kind, value] = [text.slice(0, 2), text.slice(2)];
  if (kind === "o:") {
    const offset = readOffset(value);
    if (offset !== undefined) return { kind: "offset", offset };
  }
  if (kind === "t:" && !Number.isNaN(Date.parse(value))) return { kind: "time", text: value };
  if (kind === "e:") {
    const offsets = value.split(",").map((entry) => {
      const [partition = "", offset = ""] = entry.split(".");
      return [readPartition(partition), readOffset(offset)] as const;
    });
    const isWhole = (entry: readonly [number | undefined, bigint | undefined]): entry is readonly [number, bigint] =>
      entry[0] !== undefined && entry[1] !== undefined;
    if (offsets.every(isWhole)) return { kind: "each", offsets };
  }
  return { kind: "newest" };
}

/** An offset as a person writes it, with or without separators of thousands; undefined for what is none. */
export function readOffset(text: string): bigint | undefined {
  const digits = text.replace(/[\s,_']/g, "");
  if (!/^\d{1,20}$/.test(digits)) return undefined;
  const offset = BigInt(digits);
  return offset <= u64Max ? offset : undefined;
}

/** Only an address of the console itself is gone to after signing in. */
export function ownAddress(text: string | null): string {
  return text?.startsWith(`${root}/`) ? text : root;
}

function readPartition(text: string): number | undefined {
  return /^\d{1,10}$/.test(text) && Number(text) <= u32Max ? Number(text) : undefined;
}

function messagesPage(stream: string, topic: string, query: URLSearchParams): MessagesPage {
  const from = readPosition(query.get("from") ?? "newest");
  const dir = query.get("dir");
  const direction = dir === "older" || dir === "newer" ? dir : directionFrom(from);
  const asked = Number(query.get("n") ?? countDefault);
  const count = Number.isInteger(asked) && asked >= 1 ? Math.min(asked, countMax) : countDefault;
  const partitionId = readPartition(query.get("p") ?? "");
  const isLive = query.get("live") === "1";
  const q = query.get("q") ?? "";
  const scan = scanLimits.find((limit) => limit === query.get("scan")) ?? scanDefault;
  return { kind: "messages", stream, topic, partitionId, from, direction, count, isLive, q, scan };
}

function messagesQuery({ partitionId, from, direction, count, isLive, q, scan }: MessagesPage): string {
  return queryOf({
    q,
    scan: scan === scanDefault ? "" : scan,
    p: partitionId === undefined ? "" : String(partitionId),
    from: from.kind === "newest" ? "" : writePosition(from),
    dir: direction === directionFrom(from) ? "" : direction,
    live: isLive ? "1" : "",
    n: count === countDefault ? "" : String(count),
  });
}

function listOf(query: URLSearchParams): ListPage {
  const sort = query.get("sort") ?? "";
  const column = sort.replace(/^-/, "");
  return {
    q: query.get("q") ?? "",
    sort: /^[a-z]+$/.test(column) ? { column, isDescending: sort.startsWith("-") } : sortDefault,
  };
}

function listQuery({ q, sort: { column, isDescending } }: ListPage): string {
  const sort = column === sortDefault.column && !isDescending ? "" : `${isDescending ? "-" : ""}${column}`;
  return queryOf({ q, sort });
}

function formatOf(text: string | null): Format {
  return formats.find((format) => format === text) ?? "auto";
}

function topicRoot({ stream, topic }: { readonly stream: string; readonly topic: string }): string {
  return `${root}/streams/${encode(stream)}/topics/${encode(topic)}`;
}
