// A payload in one of its forms. It is only ever text of the document, whatever it says.
import { useMemo, useState } from "preact/hooks";
import type { Format } from "../app/address.ts";
import type { DecodeError } from "../messages/binary/reader.ts";
import {
  canBeCut,
  type HexRow,
  type ShownPayload,
  shownFirstBytes,
  shownWholeBytesMax,
  showPayload,
} from "../messages/payload.ts";
import type { Schema } from "../messages/schema.ts";
import { words } from "../words/en.ts";
import { formatWords } from "../words/formats.ts";
import { count, size } from "../words/numbers.ts";
import { Lines } from "./lines.tsx";
import { PlainText, Runs } from "./plain-text.tsx";

const text = words.message;

export function Payload({
  bytes,
  format,
  hint,
  schema,
}: {
  readonly bytes: Uint8Array;
  readonly format: Format;
  readonly hint: string | undefined;
  readonly schema?: Schema | undefined;
}) {
  const [isWhole, setIsWhole] = useState(false);
  const isCut = !isWhole && bytes.length > shownWholeBytesMax && canBeCut(format);
  // Decoding takes its time: not with every picture of the page.
  const shown = useMemo(
    () => showPayload(isCut ? bytes.subarray(0, shownFirstBytes) : bytes, format, hint, isCut, schema),
    [bytes, format, hint, isCut, schema],
  );
  return (
    <div class="payload">
      {shown.format === "none" || shown.format === "schemaless" || format !== "auto" ? null : (
        <p class="muted">{text.shownAs(formatWords.formats[shown.format])}</p>
      )}
      {isCut ? (
        <p>
          {text.cut(size(shownFirstBytes), size(bytes.length))}{" "}
          <button type="button" onClick={() => setIsWhole(true)}>
            {text.showAll}
          </button>
        </p>
      ) : null}
      {bytes.length === 0 ? <p>{text.empty}</p> : <Shown shown={shown} />}
    </div>
  );
}

function Shown({ shown }: { readonly shown: ShownPayload }) {
  switch (shown.format) {
    case "none":
      return (
        <>
          <p role="status">{noneText(shown)}</p>
          <Hex rows={shown.rows} />
        </>
      );
    case "schemaless":
      return <p role="status">{formatWords.needsSchema(formatWords.formats[shown.wanted])}</p>;
    case "base64":
      return (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keys.
        <pre class="plain" tabIndex={0}>
          {shown.text}
        </pre>
      );
    case "hex":
      return <Hex rows={shown.rows} />;
    case "text":
      return (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keys.
        <pre class="plain" tabIndex={0}>
          <Runs runs={shown.runs} />
        </pre>
      );
    default:
      return (
        <Lines
          label={text.payload}
          count={shown.lines.length}
          line={(index) => {
            const { depth, tokens } = shown.lines[index]!;
            return (
              <>
                {"  ".repeat(depth)}
                {tokens.map((token, position) => (
                  <span key={position} class={`json-${token.kind}`}>
                    <PlainText text={token.text} />
                  </span>
                ))}
              </>
            );
          }}
        />
      );
  }
}

function Hex({ rows }: { readonly rows: readonly HexRow[] }) {
  return (
    <Lines
      label={text.payload}
      count={rows.length}
      line={(index) => {
        const row = rows[index]!;
        return (
          <>
            <span class="muted">{row.offset}</span>
            {"  "}
            {row.bytes}
            {"  "}
            {row.characters}
          </>
        );
      }}
    />
  );
}

function noneText({ wanted, error }: Extract<ShownPayload, { readonly format: "none" }>): string {
  if (error === undefined) return wanted === "json" ? formatWords.notJson : formatWords.notText;
  return formatWords.failed(formatWords.formats[wanted], problemText(error));
}

/** What is wrong, as the end of a sentence. */
export function problemText({ problem, position, detail }: DecodeError): string {
  return formatWords.problems[problem](count(position), detail);
}
