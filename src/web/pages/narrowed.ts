// Lists as the address wants them: narrowed to what the filter says, in the order of one column.
import type { Sort } from "../app/address.ts";

export type SortValue = string | number | bigint;

const names = new Intl.Collator("en", { numeric: true });

/** The rows whose name has the text in it, whatever the case. Rows that are equal in the column are in the order of their names. */
export function narrowed<Row extends { readonly name: string }>(
  rows: readonly Row[],
  query: string,
  { column, isDescending }: Sort,
  values: Readonly<Record<string, (row: Row) => SortValue>>,
): readonly Row[] {
  const wanted = query.trim().toLowerCase();
  const found = wanted === "" ? rows : rows.filter(({ name }) => name.toLowerCase().includes(wanted));
  const sortValue = values[column] ?? (({ name }: Row) => name);
  const sign = isDescending ? -1 : 1;
  return found.toSorted(
    (left, right) => sign * compare(sortValue(left), sortValue(right)) || names.compare(left.name, right.name),
  );
}

function compare(left: SortValue, right: SortValue): number {
  if (typeof left === "string" && typeof right === "string") return names.compare(left, right);
  return left < right ? -1 : left > right ? 1 : 0;
}
