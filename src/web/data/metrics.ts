// Numbers of the broker while the overview is open: the last five minutes, kept in this page only.
import { useEffect, useState } from "preact/hooks";
import type { MetricName, MetricValues } from "../../client/console-client.ts";
import { live } from "./live.ts";

/** Samples of 5 s. */
const samplesMax = 60;

export type MetricHistory = {
  readonly last: MetricValues | undefined;
  /** Oldest first. */
  readonly of: (name: MetricName) => readonly (number | null)[];
};

export function useMetrics(): MetricHistory {
  const [samples, setSamples] = useState<readonly MetricValues[]>([]);
  const from = live.value;
  useEffect(() => {
    if (from === undefined) return;
    const close = from.metrics((values) => setSamples((before) => [...before, values].slice(-samplesMax)));
    return close;
  }, [from]);
  return { last: samples.at(-1), of: (name) => samples.map((sample) => sample[name]) };
}
