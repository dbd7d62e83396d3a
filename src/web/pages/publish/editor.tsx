// One message, written or taken from one that is there: payload, headers, and how many copies of it.
import { useState } from "preact/hooks";
import { encodeHeaders, type MessageToSend, type UserHeader } from "../../../client/console-client.ts";
import type { PublishPage } from "../../app/address.ts";
import { DraftError, headersOf, type PayloadKind, payloadKinds, payloadOf } from "../../messages/draft.ts";
import { readHeaders } from "../../messages/headers.ts";
import { jsonLines } from "../../messages/json-tokens.ts";
import type { ShownMessage } from "../../messages/window.ts";
import { Field } from "../../parts/field.tsx";
import { size } from "../../words/numbers.ts";
import { publishWords as text } from "../../words/publish.ts";
import { type HeaderRow, HeaderRows, rowsOf } from "./header-rows.tsx";
import { RunState, useRun } from "./run.tsx";
import { OriginTick, originOf } from "./several.tsx";
import { partitioningOf, type Target, TargetFields, targetText } from "./target.tsx";

type File = { readonly name: string; readonly bytes: Uint8Array };
type Written = { readonly kind: PayloadKind; readonly text: string; readonly file: File | undefined };

const countMax = 10_000;

export function Editor({ page, source }: { readonly page: PublishPage; readonly source: ShownMessage | undefined }) {
  const { stream, topic } = page;
  const [target, setTarget] = useState<Target>({ stream, topic, way: "balanced", value: "" });
  const [written, setWritten] = useState<Written>(() => writtenOf(source?.payload));
  const [rows, setRows] = useState<readonly HeaderRow[]>(() =>
    rowsOf((source && readHeaders(source.userHeaders)) ?? []),
  );
  const [hasOrigin, setHasOrigin] = useState(false);
  const [copies, setCopies] = useState("1");
  const [rate, setRate] = useState("");
  const [problem, setProblem] = useState<string | undefined>(undefined);
  const run = useRun();

  const made = (): MessageToSend => {
    const payload = written.file?.bytes ?? payloadOf(written.kind, written.text);
    const typed = rows.filter((row) => row.fixed === undefined);
    const fixed = rows.flatMap((row) => (row.fixed === undefined ? [] : [row.fixed]));
    const origin =
      hasOrigin && source !== undefined
        ? [{ key: text.originKey, kind: "string" as const, value: originOf(page, source.partitionId, source.offset) }]
        : [];
    return { payload, userHeaders: joined(fixed, headersOf([...typed, ...origin])) };
  };
  const count = countOf(copies);
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    if (run.state.kind === "running") return;
    const perSecond = rate.trim() === "" ? undefined : countOf(rate);
    const wrong =
      partitioningOf(target) === undefined
        ? text.badPartition
        : count === undefined
          ? text.badCopies
          : rate.trim() !== "" && perSecond === undefined
            ? text.badRate
            : undefined;
    setProblem(wrong);
    if (wrong !== undefined || count === undefined) return;
    try {
      const message = made();
      run.start({ target, messageAt: () => message, count, perSecond });
    } catch (error) {
      if (!(error instanceof DraftError)) throw error;
      setProblem(problemText(error));
    }
  };

  return (
    <form class="publish" onSubmit={submit}>
      <TargetFields target={target} onChange={setTarget} />
      <PayloadField written={written} onChange={setWritten} />
      <HeaderRows rows={rows} onChange={setRows} />
      {source === undefined ? null : <OriginTick isSet={hasOrigin} onChange={setHasOrigin} />}
      <div class="controls">
        <Field label={text.copies}>
          {(id) => (
            <input
              id={id}
              class="short"
              inputMode="numeric"
              value={copies}
              onInput={({ currentTarget }) => setCopies(currentTarget.value)}
            />
          )}
        </Field>
        <Field label={text.rate}>
          {(id) => (
            <input
              id={id}
              class="short"
              inputMode="numeric"
              value={rate}
              placeholder={text.rateAny}
              onInput={({ currentTarget }) => setRate(currentTarget.value)}
            />
          )}
        </Field>
      </div>
      <Preview made={made} count={count ?? 1} headers={rows.length + Number(hasOrigin)} target={target} />
      <p class="problem" role="alert">
        {problem}
      </p>
      <button type="submit" class="primary" aria-disabled={run.state.kind === "running"}>
        {text.submit(count ?? 1)}
      </button>
      <RunState run={run} />
    </form>
  );
}

function Preview({
  made,
  count,
  headers,
  target,
}: {
  readonly made: () => MessageToSend;
  readonly count: number;
  readonly headers: number;
  readonly target: Target;
}) {
  try {
    return <p>{text.preview(count, size(made().payload.length), headers, targetText(target))}</p>;
  } catch (error) {
    if (!(error instanceof DraftError)) throw error;
    return <p class="muted">{problemText(error)}</p>;
  }
}

function PayloadField({
  written,
  onChange,
}: {
  readonly written: Written;
  readonly onChange: (written: Written) => void;
}) {
  const { file } = written;
  if (file !== undefined) {
    return (
      <p>
        {text.fileTaken(file.name, size(file.bytes.length))}{" "}
        <button type="button" onClick={() => onChange({ ...written, file: undefined })}>
          {text.noFile}
        </button>
      </p>
    );
  }
  return (
    <>
      <Field label={text.payloadAs} isInline>
        {(id) => (
          <select
            id={id}
            value={written.kind}
            onChange={({ currentTarget }) => onChange({ ...written, kind: currentTarget.value as PayloadKind })}
          >
            {payloadKinds.map((kind) => (
              <option key={kind} value={kind}>
                {text.kinds[kind]}
              </option>
            ))}
          </select>
        )}
      </Field>
      <Field label={text.payload}>
        {(id) => (
          <textarea
            id={id}
            rows={10}
            spellcheck={false}
            value={written.text}
            onInput={({ currentTarget }) => onChange({ ...written, text: currentTarget.value })}
          />
        )}
      </Field>
      <Field label={text.file}>
        {(id) => (
          <input
            id={id}
            type="file"
            onChange={({ currentTarget }) => {
              const chosen = currentTarget.files?.[0];
              chosen
                ?.arrayBuffer()
                .then((bytes) => onChange({ ...written, file: { name: chosen.name, bytes: new Uint8Array(bytes) } }));
            }}
          />
        )}
      </Field>
    </>
  );
}

function problemText({ problem, subject }: DraftError): string {
  const words = text.problems[problem];
  return typeof words === "string" ? words : words(subject);
}

/** From 1 on; undefined for what is none. */
function countOf(typed: string): number | undefined {
  const value = Number(typed.trim());
  return /^\d{1,5}$/.test(typed.trim()) && value >= 1 && value <= countMax ? value : undefined;
}

/** Headers whose keys nobody types, and those that were typed: both are a list of fields, one after the other. */
function joined(fixed: readonly UserHeader[], typed: Uint8Array): Uint8Array {
  const first = encodeHeaders(fixed);
  const bytes = new Uint8Array(first.length + typed.length);
  bytes.set(first);
  bytes.set(typed, first.length);
  return bytes;
}

/** A payload as it is written down: JSON and text as they are, other bytes in base64. */
function writtenOf(payload: Uint8Array | undefined): Written {
  if (payload === undefined) return { kind: "json", text: "{}", file: undefined };
  try {
    const decoded = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(payload);
    return { kind: jsonLines(decoded) === undefined ? "text" : "json", text: decoded, file: undefined };
  } catch {
    // Not UTF-8, which is all that a strict decoder can say.
    const hex = Array.from(payload, (byte) => byte.toString(16).padStart(2, "0")).join(" ");
    return { kind: "hex", text: hex, file: undefined };
  }
}
