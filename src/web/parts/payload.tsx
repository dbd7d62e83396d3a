// A payload in one of its forms. It is only ever text of the document, whatever it says.
import { useState } from "preact/hooks";
import type { Format } from "../app/address.ts";
import {
  type ShownPayload,
  shownFirstBytes,
  shownWholeBytesMax,
  showPayload,
  type TextRun,
  textRuns,
} from "../messages/payload.ts";
import { words } from "../words/en.ts";
import { size } from "../words/numbers.ts";
import { Lines } from "./lines.tsx";

const text = words.message;

export function Payload({
  bytes,
  format,
  hint,
}: {
  readonly bytes: Uint8Array;
  readonly format: Format;
  readonly hint: string | undefined;
}) {
  const [isWhole, setIsWhole] = useState(false);
  const isCut = !isWhole && bytes.length > shownWholeBytesMax;
  const shown = showPayload(isCut ? bytes.subarray(0, shownFirstBytes) : bytes, format, hint, isCut);
  return (
    <div class="payload">
      {shown.format === "none" || format !== "auto" ? null : (
        <p class="muted">{text.shownAs(text.formats[shown.format])}</p>
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

/** Text in which what is invisible, or turns what follows around, is a mark with its number. */
export function Runs({ runs }: { readonly runs: readonly TextRun[] }) {
  return (
    <>
      {runs.map((run, index) =>
        run.isControl ? (
          <span key={index} class="control">
            {run.text}
          </span>
        ) : (
          run.text
        ),
      )}
    </>
  );
}

function Shown({ shown }: { readonly shown: ShownPayload }) {
  switch (shown.format) {
    case "none":
      return <p>{text.none[shown.wanted]}</p>;
    case "text":
      return (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keys.
        <pre class="plain" tabIndex={0}>
          <Runs runs={shown.runs} />
        </pre>
      );
    case "json":
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
                    <Runs runs={textRuns(token.text)} />
                  </span>
                ))}
              </>
            );
          }}
        />
      );
    default:
      return (
        <Lines
          label={text.payload}
          count={shown.rows.length}
          line={(index) => {
            const row = shown.rows[index]!;
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
}
