// Numbers of the broker while the overview is open: the last five minutes, kept in this page only.
import { useEffect, useState } from "preact/hooks";
import type { MetricValues } from "../../client/console-client.ts";
import { live } from "./live.ts";

/** Samples of 5 s. */
const samplesMax = 60;

/** `at`: µs since the epoch, by the broker's clock. */
export type Sample = { readonly at: bigint; readonly values: MetricValues };

export type Metrics = {
  readonly last: Sample | undefined;
  /** Oldest first; `name`: of a series. */
  readonly of: (name: string) => readonly (number | null)[];
};

export function useMetrics(): Metrics {
  const [samples, setSamples] = useState<readonly Sample[]>([]);
  const from = live.value;
  useEffect(() => {
    if (from === undefined) return;
    return from.metrics((values, at) => setSamples((before) => [...before, { at, values }].slice(-samplesMax)));
  }, [from]);
  return { last: samples.at(-1), of: (name) => samples.map(({ values }) => values[name] ?? null) };
}
