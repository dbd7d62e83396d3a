// Messages as a file: the rows on the screen, or a range, which the browser writes to disk without this page having it in memory.
import { useState } from "preact/hooks";
import { messageLine } from "../../client/console-client.ts";
import { type MessagesPage, readOffset } from "../app/address.ts";
import { downloadBytes } from "../app/clipboard.ts";
import type { ShownMessage } from "../messages/window.ts";
import { Field } from "../parts/field.tsx";
import { downloadWords as text } from "../words/download.ts";
import { count } from "../words/numbers.ts";

const formats = ["ndjson", "raw"] as const;

export function DownloadForm({
  page,
  messages,
}: {
  readonly page: MessagesPage;
  /** Those that are shown. */
  readonly messages: readonly ShownMessage[];
}) {
  const { stream, topic, partitionId } = page;
  const [format, setFormat] = useState<(typeof formats)[number]>("ndjson");
  const [from, setFrom] = useState(page.from.kind === "offset" ? String(page.from.offset) : "");
  const [to, setTo] = useState("");
  const [first, last] = [boundOf(from), boundOf(to)];
  const isBad = first === undefined || last === undefined;
  const query = new URLSearchParams({ stream, topic, format });
  if (partitionId !== undefined) query.set("partition", String(partitionId));
  if (first) query.set("from", first);
  if (last) query.set("to", last);
  const bound = (label: string, value: string, empty: string, change: (value: string) => void) => (
    <Field label={label}>
      {(id) => (
        <input
          id={id}
          value={value}
          placeholder={empty}
          autocomplete="off"
          onInput={({ currentTarget }) => change(currentTarget.value)}
        />
      )}
    </Field>
  );
  return (
    <section class="notice" aria-label={text.title}>
      <p>
        {partitionId === undefined ? text.ofAll : text.ofOne(count(partitionId))} {text.note}
      </p>
      <div class="controls">
        <Field label={text.format}>
          {(id) => (
            <select
              id={id}
              value={format}
              onChange={({ currentTarget }) => setFormat(currentTarget.value as (typeof formats)[number])}
            >
              {formats.map((name) => (
                <option key={name} value={name}>
                  {text.formats[name]}
                </option>
              ))}
            </select>
          )}
        </Field>
        {bound(text.from, from, text.first, setFrom)}
        {bound(text.to, to, text.last, setTo)}
        {isBad ? null : (
          <a class="button" href={`/ui/api/export?${query}`} download>
            {text.start}
          </a>
        )}
        {messages.length === 0 ? null : (
          <button
            type="button"
            onClick={() =>
              downloadBytes(
                `${topic}.ndjson`,
                "application/x-ndjson",
                messages.map((message) => messageLine(message.partitionId, message)),
              )
            }
          >
            {text.startShown}
          </button>
        )}
      </div>
      <p class="problem" role="alert">
        {isBad ? text.bad : ""}
      </p>
    </section>
  );
}

/** As the broker takes it; empty: none; undefined: it is no bound. */
function boundOf(typed: string): string | undefined {
  const value = typed.trim();
  if (value === "") return "";
  const offset = readOffset(value);
  if (offset !== undefined) return String(offset);
  const millis = Date.parse(value);
  return Number.isNaN(millis) ? undefined : `@${new Date(millis).toISOString()}`;
}
