// What all pages with charts have: how far back they go, and that there may be no history.
import { ConsoleError } from "../../client/console-client.ts";
import type { Range } from "../app/observe-address.ts";
import { historyWords as text } from "../words/observe.ts";

export function RangeChoice<R extends Range>({
  ranges,
  range,
  onChange,
}: {
  readonly ranges: readonly R[];
  readonly range: R;
  readonly onChange: (range: R) => void;
}) {
  return (
    <fieldset class="ranges">
      <legend>{text.range}</legend>
      {ranges.map((one) => (
        <button key={one} type="button" aria-pressed={one === range} onClick={() => onChange(one)}>
          {text.ranges[one]}
        </button>
      ))}
    </fieldset>
  );
}

/** Whether the broker keeps none. */
export function isHistoryOff(error: unknown): boolean {
  return error instanceof ConsoleError && error.code === "feature_unavailable";
}
