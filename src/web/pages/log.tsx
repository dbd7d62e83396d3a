// The log of the broker: the newest lines, those that come now, and any line that somebody links to.
import { useEffect, useRef, useState } from "preact/hooks";
import {
  ConsoleError,
  type LogLevelName,
  type LogLine,
  type LogReply,
  type LogTail,
  logLevelNames,
  readLog,
} from "../../client/console-client.ts";
import { downloadBytes } from "../app/clipboard.ts";
import { errorText } from "../app/errors.ts";
import { adjust } from "../app/location.ts";
import { type LogPage as LogAddress, newestLog, writeObserveAddress } from "../app/observe-address.ts";
import { broker } from "../data/broker.ts";
import { live } from "../data/live.ts";
import { type Loaded, useLoaded } from "../data/loaded.ts";
import { Field } from "../parts/field.tsx";
import { LoadedPart, Notice } from "../parts/notice.tsx";
import { PageHead } from "../parts/page-head.tsx";
import { count, size } from "../words/numbers.ts";
import { logWords as text } from "../words/observe.ts";

/** Kept while lines come. */
const linesMax = 1000;
const pageLines = 200;

export function LogPage({ page }: { readonly page: LogAddress }) {
  const { level, target, q, at } = page;
  const show = (change: Partial<LogAddress>) => adjust({ ...page, ...change });
  const key = JSON.stringify([level, target, q, at]);
  const loaded = useLoaded(
    "log",
    key,
    () => readLog({ level, target, q }, { limit: pageLines, ...(at === "" ? {} : { at }) }),
    { ofSession: true },
  );
  const isGone = loaded.error instanceof ConsoleError && loaded.error.code === "resource_not_found";
  return (
    <>
      <PageHead title={text.title}>
        <div class="controls">
          <Field label={text.level}>
            {(id) => (
              <select
                id={id}
                value={level}
                onChange={(event) => show({ level: event.currentTarget.value as LogLevelName })}
              >
                {logLevelNames.map((name) => (
                  <option key={name} value={name}>
                    {text.levels[name]}
                  </option>
                ))}
              </select>
            )}
          </Field>
          <Words label={text.target} value={target} onChange={(value) => show({ target: value })} />
          <Words label={text.words} value={q} isFilter onChange={(value) => show({ q: value })} />
          {at === "" ? (
            <button type="button" aria-pressed={page.isLive} onClick={() => show({ isLive: !page.isLive })}>
              {text.live}
            </button>
          ) : (
            <button type="button" onClick={() => adjust({ ...newestLog, level, target, q })}>
              {text.newest}
            </button>
          )}
          <Snapshot />
        </div>
      </PageHead>
      {isGone ? (
        <Notice>{text.gone}</Notice>
      ) : (
        <LoadedPart loaded={loaded}>
          {(reply) =>
            reply.enabled ? (
              <Lines key={key} page={page} loaded={{ ...loaded, value: reply }} />
            ) : (
              <Notice>{text.off}</Notice>
            )
          }
        </LoadedPart>
      )}
    </>
  );
}

/** Taken when somebody is done with writing: each value is a question to the broker. */
function Words({
  label,
  value,
  isFilter = false,
  onChange,
}: {
  readonly label: string;
  readonly value: string;
  readonly isFilter?: boolean;
  readonly onChange: (value: string) => void;
}) {
  return (
    <Field label={label}>
      {(id) => (
        <input
          id={id}
          type="search"
          value={value}
          maxLength={200}
          autocomplete="off"
          spellcheck={false}
          data-filter={isFilter ? "" : undefined}
          onChange={(event) => onChange(event.currentTarget.value)}
        />
      )}
    </Field>
  );
}

function Snapshot() {
  const [state, setState] = useState<"none" | "busy" | { readonly error: unknown }>("none");
  const take = async () => {
    setState("busy");
    try {
      const bytes = await broker.peek()?.getSnapshot();
      if (bytes !== undefined) downloadBytes("whippet-snapshot.zip", "application/zip", [bytes]);
      setState("none");
    } catch (error) {
      setState({ error });
    }
  };
  return (
    <>
      <button type="button" aria-disabled={state === "busy"} onClick={() => state !== "busy" && void take()}>
        {text.snapshot}
      </button>
      {typeof state === "string" ? null : (
        <p class="problem" role="alert">
          {errorText(state.error)}
        </p>
      )}
    </>
  );
}

function Lines({
  page,
  loaded,
}: {
  readonly page: LogAddress;
  readonly loaded: Loaded<LogReply> & { readonly value: LogReply };
}) {
  const { value } = loaded;
  const [older, setOlder] = useState<readonly LogLine[]>([]);
  const [before, setBefore] = useState(value.before);
  const [failure, setFailure] = useState<unknown>();
  const newer = useNewLines(page, value);
  const all = [...newer.lines, ...withoutThose(value.lines, newer.lines), ...older];
  const more = async () => {
    try {
      const { level, target, q } = page;
      const next = await readLog({ level, target, q }, { limit: pageLines, before: before ?? "" });
      setOlder((known) => [...known, ...next.lines]);
      setBefore(next.before);
      setFailure(undefined);
    } catch (error) {
      setFailure(error);
    }
  };
  return (
    <>
      <p class="muted" role="status">
        {newer.failure ?? (page.isLive ? text.following : text.standing)}
        {newer.skippedBytes > 0 ? ` ${text.skipped(size(newer.skippedBytes))}` : ""}
      </p>
      {newer.waiting > 0 ? (
        <button type="button" class="primary" onClick={newer.show}>
          {text.more(count(newer.waiting))}
        </button>
      ) : null}
      {all.length === 0 ? <Notice>{text.none(size(value.scannedBytes))}</Notice> : null}
      <section
        class="log"
        aria-label={text.lines}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keys.
        tabIndex={0}
        onScroll={(event) => newer.scrolled(event.currentTarget.scrollTop === 0)}
      >
        <ol>
          {all.map((line) => (
            <Line key={line.at} line={line} page={page} />
          ))}
        </ol>
        {before === undefined ? null : (
          <button type="button" onClick={() => void more()}>
            {text.older}
          </button>
        )}
      </section>
      {failure === undefined ? null : (
        <p class="problem" role="alert">
          {errorText(failure)}
        </p>
      )}
    </>
  );
}

function Line({ line, page }: { readonly line: LogLine; readonly page: LogAddress }) {
  const { at, time, level, target, text: message, fields } = line;
  return (
    <li aria-current={at === page.at ? "true" : undefined}>
      <a href={writeObserveAddress({ ...page, at, isLive: false })} title={text.link}>
        {time === null ? text.noTime : time.replace("T", " ").replace("Z", "")}
      </a>{" "}
      {level === null ? null : <span class={`level ${level}`}>{text.levels[level]}</span>}{" "}
      <span class="muted">{target}</span> <span>{message}</span>
      {Object.entries(fields).map(([name, value]) => (
        <span key={name} class="log-field">
          {" "}
          <span class="muted">{name}=</span>
          {value}
        </span>
      ))}
    </li>
  );
}

type NewLines = {
  /** Newest first. */
  readonly lines: readonly LogLine[];
  /** That came while somebody read further down. */
  readonly waiting: number;
  readonly skippedBytes: number;
  readonly failure: string | undefined;
  readonly show: () => void;
  readonly scrolled: (isTop: boolean) => void;
};

/** Lines that come while the page is live; they wait while somebody reads further down. */
function useNewLines(page: LogAddress, { end }: LogReply): NewLines {
  const [lines, setLines] = useState<readonly LogLine[]>([]);
  const [waiting, setWaiting] = useState<readonly LogLine[]>([]);
  const [skippedBytes, setSkipped] = useState(0);
  const [failure, setFailure] = useState<string>();
  const place = useRef(end);
  const isTop = useRef(true);
  const from = live.value;
  const { level, target, q, isLive } = page;
  useEffect(() => {
    if (from === undefined || !isLive) return;
    return from.log(() => ({ level, target, q, ...(place.current === undefined ? {} : { from: place.current }) }), {
      show: (tail: LogTail) => {
        place.current = tail.end ?? place.current;
        setSkipped((before) => before + tail.skippedBytes);
        const take = isTop.current ? setLines : setWaiting;
        take((before) => [...[...tail.lines].reverse(), ...before].slice(0, linesMax));
      },
      failed: (_code, reason) => setFailure(reason),
    });
  }, [from, isLive, level, target, q]);
  const show = () => {
    setLines((before) => [...waiting, ...before].slice(0, linesMax));
    setWaiting([]);
  };
  return {
    lines,
    waiting: waiting.length,
    skippedBytes,
    failure,
    show,
    scrolled: (now) => {
      isTop.current = now;
      if (now && waiting.length > 0) show();
    },
  };
}

function withoutThose(lines: readonly LogLine[], those: readonly LogLine[]): readonly LogLine[] {
  const known = new Set(those.map(({ at }) => at));
  return lines.filter(({ at }) => !known.has(at));
}
