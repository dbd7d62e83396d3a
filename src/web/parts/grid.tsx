// A table that is walked with keys: arrows, Home, End, Page; Enter opens a row. One row can be reached by Tab, the one that was
// active last (WAI-ARIA grid, roving focus).
import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Sort } from "../app/address.ts";
import { hasLetterKeys } from "../app/preferences.ts";
import { words } from "../words/en.ts";
import { PlainText } from "./plain-text.tsx";
import { useRowWindow } from "./window-rows.ts";

export type Column<Row> = {
  /** Also its class: the widths are in style/grid.css. */
  readonly id: string;
  readonly title: string;
  readonly isNumber?: boolean;
  /** Shown when somebody points at the cell. */
  readonly hint?: (row: Row) => string;
  readonly cell: (row: Row) => ComponentChildren;
};

export type GridProps<Row> = {
  readonly label: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly keyOf: (row: Row) => string;
  /** Address that a row opens; the first cell is a link to it. */
  readonly addressOf: (row: Row) => string;
  readonly onOpen: (row: Row) => void;
  readonly sort?: Sort;
  readonly onSort?: (sort: Sort) => void;
  /** Whether the first row can be seen. */
  readonly onTop?: (isTop: boolean) => void;
};

/** As in style/grid.css. */
const rowPixels = 32;
/** The row that was opened last, of each grid: whoever comes back goes on there. */
const openedRows = new Map<string, string>();

export function Grid<Row>({ label, columns, rows, keyOf, addressOf, onOpen, sort, onSort, onTop }: GridProps<Row>) {
  const scroller = useRef<HTMLDivElement>(null);
  const [active, setActive] = useState(() =>
    Math.max(
      0,
      rows.findIndex((row) => keyOf(row) === openedRows.get(label)),
    ),
  );
  /** The next render moves the focus to the active row. */
  const isMoving = useRef(false);
  const { start, end } = useRowWindow(scroller, rows.length, rowPixels);
  const current = Math.min(active, rows.length - 1);

  useEffect(() => {
    if (openedRows.get(label) === undefined || document.activeElement !== document.body) return;
    openedRows.delete(label);
    move(current);
  }, []);

  useLayoutEffect(() => {
    if (!isMoving.current) return;
    const row = scroller.current?.querySelector<HTMLElement>(`tr[data-index="${current}"]`);
    if (!row) return; // not in the document before the window has followed
    isMoving.current = false;
    row.focus({ preventScroll: true });
  });

  const move = (to: number) => {
    const next = Math.max(0, Math.min(rows.length - 1, to));
    isMoving.current = true;
    setActive(next);
    const element = scroller.current;
    if (element === null) return;
    const top = next * rowPixels;
    const roomPixels = element.clientHeight - rowPixels; // the header stays in sight
    if (top < element.scrollTop) element.scrollTop = top;
    else if (top + rowPixels > element.scrollTop + roomPixels) element.scrollTop = top + rowPixels - roomPixels;
  };

  const openRow = (row: Row) => {
    openedRows.set(label, keyOf(row));
    onOpen(row);
  };

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (!(event.target instanceof HTMLElement && event.target.matches("tbody tr"))) return;
    const pageRows = Math.max(1, Math.floor((scroller.current?.clientHeight ?? 0) / rowPixels) - 2);
    const letters: Readonly<Record<string, number>> = hasLetterKeys.value ? { j: current + 1, k: current - 1 } : {};
    const steps: Readonly<Record<string, number>> = {
      ...letters,
      ArrowDown: current + 1,
      ArrowUp: current - 1,
      PageDown: current + pageRows,
      PageUp: current - pageRows,
      Home: 0,
      End: rows.length - 1,
    };
    const to = steps[event.key];
    const row = rows[current];
    if (to !== undefined) move(to);
    else if (event.key === "Enter" && row !== undefined) openRow(row);
    else return;
    event.preventDefault();
  };

  return (
    <div class="grid" ref={scroller} onScroll={() => onTop?.(scroller.current?.scrollTop === 0)}>
      {/* biome-ignore lint/a11y/noNoninteractiveElementToInteractiveRole: a grid is a table that is walked with keys. */}
      <table role="grid" aria-label={label} aria-rowcount={rows.length + 1} onKeyDown={onKeyDown}>
        <colgroup>
          {columns.map(({ id }) => (
            <col key={id} class={`col-${id}`} />
          ))}
        </colgroup>
        <thead>
          <tr aria-rowindex={1}>
            {columns.map((column) => (
              <HeaderCell key={column.id} column={column} sort={sort} onSort={onSort} />
            ))}
          </tr>
        </thead>
        <tbody>
          <Spacer rows={start} />
          {rows.slice(start, end).map((row, position) => {
            const index = start + position;
            return (
              <tr
                key={keyOf(row)}
                data-index={index}
                aria-rowindex={index + 2}
                tabIndex={index === current ? 0 : -1}
                onFocus={() => setActive(index)}
                onClick={(event) => {
                  if (event.target instanceof Element && event.target.closest("a") !== null) {
                    openedRows.set(label, keyOf(row));
                  } else if (getSelection()?.isCollapsed !== false) openRow(row);
                }}
              >
                {columns.map(({ id, isNumber, hint, cell }, column) => (
                  <td key={id} class={isNumber ? "number" : undefined} title={hint?.(row)}>
                    {column === 0 ? (
                      <a href={addressOf(row)} tabIndex={-1}>
                        {plain(cell(row))}
                      </a>
                    ) : (
                      plain(cell(row))
                    )}
                  </td>
                ))}
              </tr>
            );
          })}
          <Spacer rows={rows.length - end} />
        </tbody>
      </table>
    </div>
  );
}

/** Names in a cell hide nothing. */
function plain(content: ComponentChildren): ComponentChildren {
  return typeof content === "string" ? <PlainText text={content} /> : content;
}

/** Keeps the place of rows that are not in the document. */
function Spacer({ rows }: { readonly rows: number }) {
  return rows > 0 ? (
    // biome-ignore lint/a11y/noAriaHiddenOnFocusable: nothing in it can be focused.
    <tr aria-hidden="true" class="spacer">
      <td style={{ height: `${rows * rowPixels}px` }} />
    </tr>
  ) : null;
}

function HeaderCell<Row>({
  column: { id, title, isNumber },
  sort,
  onSort,
}: {
  readonly column: Column<Row>;
  readonly sort: Sort | undefined;
  readonly onSort: ((sort: Sort) => void) | undefined;
}) {
  const isSorted = sort?.column === id;
  const isDescending = isSorted && sort.isDescending;
  return (
    <th
      scope="col"
      class={isNumber ? "number" : undefined}
      aria-sort={isSorted ? (isDescending ? "descending" : "ascending") : undefined}
    >
      {onSort === undefined ? (
        title
      ) : (
        <button
          type="button"
          title={words.grid.sorted(title)}
          onClick={() => onSort({ column: id, isDescending: isSorted && !isDescending })}
        >
          {title}
          <span aria-hidden="true">{isSorted ? (isDescending ? " ▼" : " ▲") : ""}</span>
        </button>
      )}
    </th>
  );
}
