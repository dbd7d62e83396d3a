// Lists as the address wants them: narrowed to what the filter says, in the order of one column. A list is put in order once, and
// each key that is pressed in the filter only looks through it: a stream may have 10,000 topics.
import type { Sort } from "../app/address.ts";

export type SortValue = string | number | bigint;

type SortValues<Row> = Readonly<Record<string, (row: Row) => SortValue>>;

/** A list in the order of one column: places in it, and the names there, in small letters. */
type Ordered = {
  readonly column: string;
  readonly isDescending: boolean;
  readonly values: SortValues<never>;
  readonly places: readonly number[];
  readonly searched: readonly string[];
};

const names = new Intl.Collator("en", { numeric: true });
/** The order that each list was last wanted in. */
const lastOrders = new WeakMap<readonly unknown[], Ordered>();

/**
 * The rows whose name has the text in it, whatever the case. Rows that are equal in the column are in the order of their names.
 * `rows` and `values` are remembered by identity: the same list with the same functions is not sorted again.
 */
export function narrowed<Row extends { readonly name: string }>(
  rows: readonly Row[],
  query: string,
  sort: Sort,
  values: SortValues<Row>,
): readonly Row[] {
  const { places, searched } = orderOf(rows, sort, values);
  const wanted = query.trim().toLowerCase();
  const found: Row[] = [];
  for (let index = 0; index < places.length; index++) {
    const row = rows[places[index] ?? 0];
    if (row !== undefined && searched[index]?.includes(wanted) === true) found.push(row);
  }
  return found;
}

function orderOf<Row extends { readonly name: string }>(
  rows: readonly Row[],
  { column, isDescending }: Sort,
  values: SortValues<Row>,
): Ordered {
  const last = lastOrders.get(rows);
  if (last?.column === column && last.isDescending === isDescending && last.values === values) return last;
  const sortValue = values[column] ?? (({ name }: Row) => name);
  const sign = isDescending ? -1 : 1;
  const sorted = rows
    .map((row, place) => ({ place, name: row.name, value: sortValue(row) }))
    .sort((left, right) => sign * compare(left.value, right.value) || names.compare(left.name, right.name));
  const ordered: Ordered = {
    column,
    isDescending,
    values,
    places: sorted.map(({ place }) => place),
    searched: sorted.map(({ name }) => name.toLowerCase()),
  };
  lastOrders.set(rows, ordered);
  return ordered;
}

function compare(left: SortValue, right: SortValue): number {
  if (typeof left === "string" && typeof right === "string") return names.compare(left, right);
  return left < right ? -1 : left > right ? 1 : 0;
}
