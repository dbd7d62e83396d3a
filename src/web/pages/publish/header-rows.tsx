// The headers of a message that is written: a key, a kind and a value each.
import type { HeaderKind, UserHeader } from "../../../client/console-client.ts";
import { type DraftHeader, headerKinds } from "../../messages/draft.ts";
import { fieldText } from "../../messages/payload.ts";
import { publishWords as text } from "../../words/publish.ts";

/** `fixed`: a header of another message whose key nobody can type; it goes as it is or not at all. */
export type HeaderRow = DraftHeader & { readonly id: number; readonly fixed?: UserHeader };

let lastId = 0;

export function rowsOf(headers: readonly UserHeader[]): readonly HeaderRow[] {
  return headers.map((header) => {
    const row = { id: ++lastId, key: fieldText(header.key), kind: header.value.kind, value: fieldText(header.value) };
    return header.key.kind === "string" ? row : { ...row, fixed: header };
  });
}

export function HeaderRows({
  rows,
  onChange,
}: {
  readonly rows: readonly HeaderRow[];
  readonly onChange: (rows: readonly HeaderRow[]) => void;
}) {
  const change = (id: number, part: Partial<DraftHeader>) =>
    onChange(rows.map((row) => (row.id === id ? { ...row, ...part } : row)));
  return (
    <fieldset>
      <legend>{text.headers}</legend>
      {rows.length === 0 ? <p class="muted">{text.noHeaders}</p> : null}
      {rows.map(({ id, key, kind, value, fixed }) => (
        <div key={id} class="header-row">
          <input
            aria-label={text.headerKey}
            placeholder={text.headerKey}
            value={key}
            disabled={fixed !== undefined}
            onInput={({ currentTarget }) => change(id, { key: currentTarget.value })}
          />
          <select
            aria-label={text.headerKind}
            value={kind}
            disabled={fixed !== undefined}
            onChange={({ currentTarget }) => change(id, { kind: currentTarget.value as HeaderKind })}
          >
            {headerKinds.map((name) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
          <input
            aria-label={text.headerValue}
            placeholder={text.headerValue}
            value={value}
            disabled={fixed !== undefined}
            onInput={({ currentTarget }) => change(id, { value: currentTarget.value })}
          />
          <button
            type="button"
            aria-label={text.removeHeader(key)}
            onClick={() => onChange(rows.filter((row) => row.id !== id))}
          >
            ×
          </button>
        </div>
      ))}
      <button type="button" onClick={() => onChange([...rows, { id: ++lastId, key: "", kind: "string", value: "" }])}>
        {text.addHeader}
      </button>
    </fieldset>
  );
}
