// A search that runs: what it has found so far, how far it is, and how it goes on. It begins by itself, so that a link to a search
// gives what it gave.
import { useEffect, useRef, useState } from "preact/hooks";
import { type ConsoleBroker, type ConsoleLive, type ScanTerm, scanBounds } from "../../client/console-client.ts";
import {
  type Direction,
  type MessagesPage,
  type ScanLimit,
  scanLimits,
  writeAddress,
  writePosition,
} from "../app/address.ts";
import { errorText } from "../app/errors.ts";
import { adjust, open } from "../app/location.ts";
import { broker } from "../data/broker.ts";
import { live } from "../data/live.ts";
import { useSchema } from "../data/open-schema.ts";
import { pollOf } from "../data/polls.ts";
import { schemas } from "../data/schemas.ts";
import { guessBinary } from "../messages/binary/guess.ts";
import { DecodeError } from "../messages/binary/reader.ts";
import type { Schema } from "../messages/schema.ts";
import { type Scan, Search, type SearchProgress, searchLimits } from "../messages/search.ts";
import { parseSearch } from "../messages/search-grammar.ts";
import { matches } from "../messages/search-match.ts";
import { scanTermsOf } from "../messages/search-terms.ts";
import type { Value } from "../messages/values.ts";
import type { ShownMessage } from "../messages/window.ts";
import { Grid } from "../parts/grid.tsx";
import { Notice } from "../parts/notice.tsx";
import { count, size } from "../words/numbers.ts";
import { searchWords as text } from "../words/search.ts";
import { messageColumns, messagePage } from "./message-columns.tsx";
import { problemOf } from "./search-form.tsx";

type Props = {
  readonly page: MessagesPage;
  readonly partitionIds: readonly number[];
  /** In these partitions, by what the broker says. */
  readonly messagesCount: bigint;
};

/** Between two pictures of a list that grows. */
const frameMs = 100;
/** The search that was shown last: whoever comes back from a message finds it as it was. It is of the session that made it. */
let last: { readonly key: string; readonly from: ConsoleBroker; readonly search: Search } | undefined;

export function SearchResults(props: Props) {
  const { page } = props;
  const problem = problemOf(page.q);
  if (problem !== "") return <Notice>{problem}</Notice>;
  const { q, partitionId, from, direction } = page;
  const what = [page.stream, page.topic, q, partitionId, writePosition(from), direction].join(" ");
  return <RunningSearch key={what} what={what} {...props} />;
}

function RunningSearch({ page, partitionIds, messagesCount, what }: Props & { readonly what: string }) {
  const { kept, schema, error } = useSchema("", `${page.stream}/${page.topic}`);
  const search = useRef<Search | undefined>(undefined);
  const [shown, setShown] = useState<SearchProgress | undefined>(undefined);
  const [problem, setProblem] = useState("");
  const from = broker.value;

  const run = (scan: ScanLimit) => {
    const current = search.current;
    if (current === undefined) return;
    let drawnMs = 0;
    setProblem("");
    current
      .run(searchLimits[scan], (progress) => {
        const nowMs = performance.now();
        if (progress.end === undefined && nowMs - drawnMs < frameMs) return;
        drawnMs = nowMs;
        if (search.current === current) setShown(progress);
      })
      .catch((error: unknown) => {
        if (search.current !== current) return;
        setShown({ ...current.progress, end: "stopped" });
        setProblem(errorText(error));
      });
  };
  // Fields are those that the topic's schema has, if there is one.
  const isReady = schemas.value !== undefined && (kept === undefined || schema !== undefined || error !== undefined);
  useEffect(() => {
    const condition = parseSearch(page.q);
    if (from === undefined || condition === undefined || !isReady) return;
    if (last?.key === what && last.from === from && last.search.progress.end !== undefined) {
      search.current = last.search;
      setShown(last.search.progress);
      return () => search.current?.stop();
    }
    const read = (payload: Uint8Array) => readBinary(payload, schema);
    const isHit = (message: Parameters<typeof matches>[1]) => matches(condition, message, read);
    const scan = scanOf(live.peek(), page, scanTermsOf(condition));
    const made = new Search(pollOf(from, page), partitionIds, page.from, page.direction, isHit, scan);
    search.current = made;
    last = { key: what, from, search: made };
    run(page.scan);
    return () => {
      search.current = undefined;
      made.stop();
    };
  }, [from, isReady]);

  if (shown === undefined) return <Notice>{problem === "" ? text.running : problem}</Notice>;
  const { scanned, bytes, ms, end } = shown;
  const found = inOrder(shown.found, page.direction);
  const seconds = (ms / 1000).toFixed(1);
  const state = text.state(count(scanned), count(messagesCount), size(bytes), count(found.length), seconds);
  const wider = scanLimits[scanLimits.indexOf(page.scan) + 1];
  return (
    <>
      <div class="paging">
        <span role={end === undefined ? undefined : "status"}>
          {state}
          {end === undefined ? "" : ` · ${text.ends[end]}`}
        </span>
        {end === undefined ? (
          <button type="button" onClick={() => search.current?.stop()}>
            {text.stop}
          </button>
        ) : null}
        {end === undefined || end === "all" ? null : (
          <button type="button" onClick={() => run(page.scan)}>
            {text.goOn}
          </button>
        )}
        {end === undefined || end === "all" || wider === undefined ? null : (
          <button
            type="button"
            onClick={() => {
              adjust({ ...page, scan: wider });
              run(wider);
            }}
          >
            {text.widen}
          </button>
        )}
      </div>
      {problem === "" ? null : <Notice>{problem}</Notice>}
      {found.length === 0 ? (
        end === undefined ? null : (
          <Notice>{text.none(scanned)}</Notice>
        )
      ) : (
        <Grid
          label={text.grid}
          columns={messageColumns}
          rows={found}
          keyOf={({ partitionId, offset }) => `${partitionId} ${offset}`}
          addressOf={(message) => writeAddress(messagePage(page, message))}
          onOpen={(message) => open(messagePage(page, message))}
        />
      )}
    </>
  );
}

/** Undefined where the broker can leave nothing out. */
function scanOf(
  from: ConsoleLive | undefined,
  { stream, topic }: MessagesPage,
  all: readonly ScanTerm[],
): Scan | undefined {
  if (from === undefined || all.length === 0 || all.length > scanBounds.terms) return undefined;
  return async (partition, first, last) => {
    const args = { stream, topic, partition, from: String(first), to: String(last), all };
    const { found, scanned, bytes, next, firstMicros, lastMicros } = await from.scan(args);
    const times = { firstMicros: BigInt(firstMicros), lastMicros: BigInt(lastMicros) };
    return { found, scanned, bytes, next: BigInt(next), ...times };
  };
}

function readBinary(payload: Uint8Array, schema: Schema | undefined): Value | undefined {
  try {
    return schema?.decode(payload) ?? guessBinary(payload)?.value;
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    return guessBinary(payload)?.value; // it is something else
  }
}

/** As rows are without a search: by the broker's time. */
function inOrder(found: readonly ShownMessage[], direction: Direction): readonly ShownMessage[] {
  const sign = direction === "older" ? -1n : 1n;
  return found.toSorted((left, right) => {
    const difference = (left.timestampMicros - right.timestampMicros) * sign;
    if (difference !== 0n) return difference < 0n ? -1 : 1;
    if (left.partitionId !== right.partitionId) return left.partitionId - right.partitionId;
    return (left.offset - right.offset) * sign < 0n ? -1 : 1;
  });
}
