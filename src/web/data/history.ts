// The history of some series while a page shows it: loaded once, and carried on with what the broker says of itself every few
// seconds; nothing is asked again until a lost connection is back.
import { useEffect, useState } from "preact/hooks";
import { history } from "../../client/console-client.ts";
import type { Range } from "../app/observe-address.ts";
import { type Loaded, useLoaded } from "./loaded.ts";
import type { Sample } from "./metrics.ts";
import { continued, type Points, pointsOf } from "./series.ts";

const minuteMs = 60_000;
export const rangesMs: Readonly<Record<Range, number>> = {
  "15m": 15 * minuteMs,
  "1h": 60 * minuteMs,
  "24h": 24 * 60 * minuteMs,
  "30d": 30 * 24 * 60 * minuteMs,
};
const microsPerMilli = 1000n;
const pointsMax = 300;

/** `last`: the newest sample of now, if the page hears of them. `topic`: whose `topic.size` and so on are. */
export function useHistory(
  series: readonly string[],
  range: Range,
  last: Sample | undefined,
  topic?: { readonly stream: string; readonly topic: string },
): Loaded<Points> {
  const reachMs = rangesMs[range];
  const loaded = useLoaded(
    `history ${JSON.stringify([topic, series])}`,
    range,
    async () => {
      const ago = BigInt(reachMs) * microsPerMilli;
      return pointsOf(await history(series, { ago, points: pointsMax, topic }));
    },
    { ofSession: true },
  );
  const [points, setPoints] = useState<Points>();
  useEffect(() => setPoints(loaded.value), [loaded.value]);
  useEffect(() => {
    if (last === undefined) return;
    const atMs = Number(last.at / microsPerMilli);
    setPoints((before) => before && continued(before, atMs, last.values, reachMs));
  }, [last, reachMs]);
  return { ...loaded, value: loaded.value === undefined ? undefined : (points ?? loaded.value) };
}
