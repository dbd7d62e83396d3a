// Text of others, such as names and payloads, in which nothing hides.
import { type TextRun, textRuns } from "../messages/text-runs.ts";

/** What is invisible, or turns what follows around, is a mark with its number. */
export function PlainText({ text }: { readonly text: string }) {
  return <Runs runs={textRuns(text)} />;
}

/** The same, of a text that is in pieces already. */
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
