// The charts of the overview: fetched with it, and drawn when they are here. The range is in the address.
import { adjust } from "../app/location.ts";
import { type Range, ranges } from "../app/observe-address.ts";
import { useHistory } from "../data/history.ts";
import type { Sample } from "../data/metrics.ts";
import { Chart, type Line } from "../parts/chart.tsx";
import { isHistoryOff, RangeChoice } from "../parts/history-parts.tsx";
import { LoadedPart } from "../parts/notice.tsx";
import { count, size } from "../words/numbers.ts";
import { historyWords as text } from "../words/observe.ts";

type Drawn = {
  readonly title: string;
  readonly lines: readonly Line[];
  readonly write: (value: number) => string;
  readonly isBinary?: boolean;
};

const tenth = (value: number) => count(Math.round(value * 10) / 10);
const bytes = (value: number) => size(Math.round(value));
const { lines, charts } = text;

const durations = (name: string): readonly Line[] => [
  { series: `p50.${name}`, label: lines.half },
  { series: `p99.${name}`, label: lines.most },
  { series: `p999.${name}`, label: lines.worst },
];
const millis = (value: number) => `${Math.round(value * 100) / 100} ms`;

/** More shards than these cannot be told apart. */
const shardsShown = [0, 1, 2, 3] as const;

const all: readonly Drawn[] = [
  {
    title: charts.messages,
    lines: [
      { series: "in.messages", label: lines.in },
      { series: "out.messages", label: lines.out },
    ],
    write: tenth,
  },
  {
    title: charts.bytes,
    lines: [
      { series: "in.bytes", label: lines.in },
      { series: "out.bytes", label: lines.out },
    ],
    write: bytes,
    isBinary: true,
  },
  { title: charts.send, lines: durations("send"), write: millis },
  { title: charts.poll, lines: durations("poll"), write: millis },
  { title: charts.errors, lines: [{ series: "errors", label: lines.errors }], write: tenth },
  { title: charts.clients, lines: [{ series: "clients", label: lines.clients }], write: tenth },
  {
    title: charts.disk,
    lines: [
      { series: "disk.used", label: lines.used },
      { series: "disk.free", label: lines.free },
    ],
    write: bytes,
    isBinary: true,
  },
  { title: charts.memory, lines: [{ series: "memory", label: lines.memory }], write: bytes, isBinary: true },
  { title: charts.cpu, lines: [{ series: "cpu", label: lines.cpu }], write: (value) => `${Math.round(value)} %` },
  {
    title: charts.loop,
    lines: shardsShown.map((id) => ({ series: `loop.${id}`, label: lines.shard(id) })),
    write: millis,
  },
];
const series = all.flatMap((chart) => chart.lines.map((line) => line.series));

export function OverviewCharts({
  range,
  last,
}: {
  readonly range: Range;
  /** The newest sample of now. */
  readonly last: Sample | undefined;
}) {
  const loaded = useHistory(series, range, last);
  return (
    <section aria-label={text.title}>
      <h2>{text.title}</h2>
      <RangeChoice ranges={ranges} range={range} onChange={(one) => adjust({ kind: "overview", range: one })} />
      {isHistoryOff(loaded.error) ? (
        <p class="muted">{text.off}</p>
      ) : (
        <LoadedPart loaded={loaded}>
          {(points) => (
            <div class="charts">
              {all.map((chart) => (
                <Chart key={chart.title} points={points} {...chart} />
              ))}
            </div>
          )}
        </LoadedPart>
      )}
    </section>
  );
}
