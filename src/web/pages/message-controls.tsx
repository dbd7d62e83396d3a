// The form above the messages: which partition, from where, how many.
import { useEffect, useState } from "preact/hooks";
import { directionFrom, type MessagesPage, type Position, readOffset, writePosition } from "../app/address.ts";
import { adjust } from "../app/location.ts";
import { Field } from "../parts/field.tsx";
import { words } from "../words/en.ts";

const text = words.messages;
const counts = [20, 50, 100, 200, 500] as const;
const kinds = ["newest", "oldest", "offset", "time"] as const;
type Kind = Position["kind"];

export function MessageControls({
  page,
  partitions,
}: {
  readonly page: MessagesPage;
  /** Ids; empty while they are not known. */
  readonly partitions: readonly number[];
}) {
  const [kind, setKind] = useState<Kind>(page.from.kind);
  const [value, setValue] = useState(positionText(page.from));
  const [problem, setProblem] = useState<string | undefined>(undefined);
  const position = writePosition(page.from);
  useEffect(() => {
    setKind(page.from.kind);
    setValue(positionText(page.from));
    setProblem(undefined);
  }, [position]);
  const hasValue = kind === "offset" || kind === "time";

  const go = (from: Position) => adjust({ ...page, from, direction: directionFrom(from), isLive: false });
  const toggleLive = () => adjust({ ...page, from: { kind: "newest" }, direction: "older", isLive: !page.isLive });
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const from = positionOf(kind, value);
    if (from === undefined) setProblem(kind === "time" ? text.badTime : text.badOffset);
    else go(from);
  };
  const choose = (next: Kind) => {
    setKind(next);
    setProblem(undefined);
    setValue("");
    if (next === "newest" || next === "oldest") go({ kind: next });
  };

  return (
    <form class="controls" onSubmit={submit}>
      <Field label={text.partition}>
        {(id) => (
          <select
            id={id}
            value={page.partitionId ?? ""}
            onChange={({ currentTarget }) => {
              const chosen = currentTarget.value;
              // Where another partition's page ended says nothing of this one.
              const from: Position = page.from.kind === "each" ? { kind: "newest" } : page.from;
              const direction = page.from.kind === "each" ? "older" : page.direction;
              adjust({ ...page, from, direction, partitionId: chosen === "" ? undefined : Number(chosen) });
            }}
          >
            <option value="">{text.all}</option>
            {(partitions.length === 0 && page.partitionId !== undefined ? [page.partitionId] : partitions).map(
              (partition) => (
                <option key={partition} value={partition}>
                  {partition}
                </option>
              ),
            )}
          </select>
        )}
      </Field>
      <Field label={text.from}>
        {(id) => (
          <select id={id} value={kind} onChange={({ currentTarget }) => choose(currentTarget.value as Kind)}>
            {kinds.map((name) => (
              <option key={name} value={name}>
                {text[name]}
              </option>
            ))}
            {kind === "each" ? <option value="each">{text.each}</option> : null}
          </select>
        )}
      </Field>
      {hasValue ? (
        <Field label={text.value[kind]}>
          {(id) => (
            <input
              id={id}
              value={value}
              placeholder={kind === "time" ? "2026-11-29T10:02" : "0"}
              inputMode={kind === "offset" ? "numeric" : "text"}
              autocomplete="off"
              spellcheck={false}
              aria-invalid={problem !== undefined}
              aria-describedby="position-problem"
              onInput={({ currentTarget }) => setValue(currentTarget.value)}
            />
          )}
        </Field>
      ) : null}
      <Field label={text.count}>
        {(id) => (
          <select
            id={id}
            value={page.count}
            onChange={({ currentTarget }) => adjust({ ...page, count: Number(currentTarget.value) })}
          >
            {[...new Set([...counts, page.count])]
              .sort((left, right) => left - right)
              .map((number) => (
                <option key={number} value={number}>
                  {number}
                </option>
              ))}
          </select>
        )}
      </Field>
      {hasValue ? <button type="submit">{text.show}</button> : null}
      <button type="button" aria-pressed={page.isLive} onClick={toggleLive}>
        {words.live.name}
      </button>
      <p id="position-problem" class="problem" role="alert">
        {problem}
      </p>
    </form>
  );
}

function positionText(from: Position): string {
  if (from.kind === "offset") return String(from.offset);
  return from.kind === "time" ? from.text : "";
}

/** Undefined for a value that means none. */
function positionOf(kind: Kind, value: string): Position | undefined {
  if (kind === "offset") {
    const offset = readOffset(value);
    return offset === undefined ? undefined : { kind, offset };
  }
  if (kind !== "time") return kind === "each" ? undefined : { kind };
  const text = value.trim();
  return Number.isNaN(Date.parse(text)) ? undefined : { kind, text };
}
