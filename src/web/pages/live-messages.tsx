// Messages as they come, the newest first. The list stands still while somebody reads further down, or has paused it; it says
// how many have come meanwhile.
import { useEffect, useRef, useState } from "preact/hooks";
import { type MessagesPage, writeAddress } from "../app/address.ts";
import { open } from "../app/location.ts";
import { live } from "../data/live.ts";
import { type TailRow, TailRows } from "../messages/tail-rows.ts";
import type { ShownMessage } from "../messages/window.ts";
import { type Column, Grid } from "../parts/grid.tsx";
import { Notice } from "../parts/notice.tsx";
import { words } from "../words/en.ts";
import { count } from "../words/numbers.ts";
import { messageColumns, messagePage } from "./message-columns.tsx";

const text = words.live;
/** Between two pictures of a list that moves. */
const frameMs = 100;
/** Of the error table: the right was taken away. */
const unauthorizedCode = 41;

type Picture = { readonly rows: readonly TailRow[]; readonly count: number };

export function LiveMessages({
  page,
  first,
}: {
  readonly page: MessagesPage;
  /** What is there already, newest first. */
  readonly first: readonly ShownMessage[];
}) {
  const tail = useTail(page, first);
  const { rows, shown } = tail;
  const newCount = rows.count - shown.count;
  return (
    <>
      <div class="paging">
        <button type="button" aria-pressed={tail.isPaused} onClick={tail.togglePause}>
          {tail.isPaused ? text.resume : text.pause}
        </button>
        {newCount > 0 ? (
          <button type="button" onClick={tail.showNewest}>
            {text.more(count(newCount))}
          </button>
        ) : null}
        <span class="muted">{tail.isPaused ? text.paused : text.following(count(rows.count))}</span>
      </div>
      {tail.problem === undefined ? null : <Notice>{tail.problem}</Notice>}
      {shown.rows.length === 0 ? (
        <Notice>{text.waiting}</Notice>
      ) : (
        <Grid
          key={tail.turn}
          label={words.messages.grid}
          columns={columns}
          rows={shown.rows}
          keyOf={({ key }) => key}
          addressOf={(row) => writeAddress(pageOf(page, row))}
          onOpen={(row) => open(pageOf(page, row))}
          onTop={tail.setIsAtTop}
        />
      )}
    </>
  );
}

function useTail(page: MessagesPage, first: readonly ShownMessage[]) {
  const [rows] = useState(() => new TailRows(first));
  const [shown, setShown] = useState<Picture>({ rows: rows.rows, count: 0 });
  const [isPaused, setIsPaused] = useState(false);
  const [problem, setProblem] = useState<string | undefined>(undefined);
  /** Another number: the list is shown anew, from its top. */
  const [turn, setTurn] = useState(0);
  const [, setTick] = useState(0);
  const isAtTop = useRef(true);
  const paused = useRef(false);
  const from = live.value;

  const showNewest = () => {
    isAtTop.current = true;
    setShown({ rows: rows.rows, count: rows.count });
    setTurn((last) => last + 1);
  };

  useEffect(() => {
    if (from === undefined || isPaused) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let owed = 0;
    const draw = () => {
      timer = undefined;
      if (isAtTop.current) setShown({ rows: rows.rows, count: rows.count });
      else setTick((last) => last + 1); // the number of those that have come
      pay();
    };
    const changed = () => {
      timer ??= setTimeout(draw, frameMs);
    };
    const handle = from.tail({
      args: () => ({
        stream: page.stream,
        topic: page.topic,
        ...(page.partitionId === undefined ? {} : { partitions: [page.partitionId] }),
        from: rows.positions,
      }),
      batch: (polled) => {
        rows.add(polled);
        owed++;
        changed();
      },
      skipped: (partitionId, begin, end) => {
        rows.skip(partitionId, begin, end);
        changed();
      },
      purged: (partitionId) => {
        rows.purge(partitionId);
        changed();
      },
      failed: (code, reason) =>
        setProblem(code === unauthorizedCode ? words.error.unauthorized : words.error.other(reason, code)),
    });
    // A tab that nobody looks at gives no credit.
    const pay = () => {
      if (owed === 0 || document.visibilityState !== "visible") return;
      handle.credit(owed);
      owed = 0;
    };
    document.addEventListener("visibilitychange", pay);
    return () => {
      document.removeEventListener("visibilitychange", pay);
      clearTimeout(timer);
      handle.close();
    };
  }, [from, isPaused, rows, page.stream, page.topic, page.partitionId]);

  return {
    rows,
    shown,
    isPaused,
    problem,
    turn,
    showNewest,
    setIsAtTop: (isTop: boolean) => {
      isAtTop.current = isTop && !paused.current;
    },
    togglePause: () => {
      paused.current = !isPaused;
      setIsPaused(!isPaused);
      if (isPaused) showNewest();
    },
  };
}

/** A row of its own for what is left out. */
const columns: readonly Column<TailRow>[] = messageColumns.map((column) => ({
  id: column.id,
  title: column.title,
  isNumber: column.isNumber === true,
  hint: (row) => (row.kind === "message" ? (column.hint?.(row.message) ?? "") : ""),
  cell: (row) => {
    if (row.kind === "message") return column.cell(row.message);
    if (column.id === "partition") return row.kind === "skip" ? row.gap.partitionId : row.partitionId;
    if (column.id === "offset") return row.kind === "skip" ? count(row.gap.from) : "0";
    if (column.id !== "preview") return "";
    return row.kind === "skip" ? text.skipped(count(row.gap.from), count(row.gap.to)) : text.purged;
  },
}));

function pageOf(page: MessagesPage, row: TailRow) {
  if (row.kind === "message") return messagePage(page, row.message);
  const place = row.kind === "skip" ? row.gap : { partitionId: row.partitionId, from: 0n };
  return messagePage(page, { partitionId: place.partitionId, offset: place.from });
}
