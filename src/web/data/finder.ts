// What the finder shows for what is typed, and in which order. Pure.

export type FoundKind = "page" | "action" | "stream" | "topic" | "group" | "user";

export type Item = {
  readonly kind: FoundKind;
  readonly title: string;
  readonly address: string;
  /** What an action does, once its page is shown. */
  readonly run?: () => void;
};

/** Shown at once. */
export const shownMax = 50;
/** In the order in which equal hits are shown. */
const kinds: readonly FoundKind[] = ["page", "action", "stream", "topic", "group", "user"];

/**
 * The items that have every word of the query, whatever the case: those whose name begins with it first, then those where a part of the
 * name does, then the others; shorter before longer. All pages and actions for an empty query.
 */
export function matching(items: readonly Item[], query: string): readonly Item[] {
  const words = query
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== "");
  if (words.length === 0) return items.filter(({ kind }) => kind === "page" || kind === "action").slice(0, shownMax);
  const hits: { readonly item: Item; readonly rank: number }[] = [];
  for (const item of items) {
    const title = item.title.toLowerCase();
    if (words.every((word) => title.includes(word))) hits.push({ item, rank: rankOf(title, words[0]!) });
  }
  hits.sort(
    (left, right) =>
      left.rank - right.rank ||
      left.item.title.length - right.item.title.length ||
      kinds.indexOf(left.item.kind) - kinds.indexOf(right.item.kind) ||
      (left.item.title < right.item.title ? -1 : 1),
  );
  return hits.slice(0, shownMax).map(({ item }) => item);
}

function rankOf(title: string, word: string): number {
  if (title.startsWith(word)) return 0;
  return title.split(/[^\p{L}\p{N}]+/u).some((part) => part.startsWith(word)) ? 1 : 2;
}

/** The same item once. */
export function together(before: readonly Item[], added: readonly Item[]): readonly Item[] {
  const known = new Set(before.map(({ address, kind }) => `${kind} ${address}`));
  const fresh = added.filter(({ address, kind }) => !known.has(`${kind} ${address}`));
  return fresh.length === 0 ? before : [...before, ...fresh];
}
