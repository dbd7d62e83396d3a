// Lines over time. The chart is an SVG that is as wide as there is room, with its labels beside it as text; whoever cannot see it has
// a sentence, can walk through the points with the keys of a slider, and has them all in a table.
import { useId, useState } from "preact/hooks";
import { niceMax, type Points } from "../data/series.ts";
import { clockTime, dayTime } from "../words/numbers.ts";
import { chartWords } from "../words/observe.ts";

export type Line = { readonly series: string; readonly label: string };

export type ChartProps = {
  readonly title: string;
  readonly lines: readonly Line[];
  readonly points: Points;
  readonly write: (value: number) => string;
  /** 1,024 is a round number. */
  readonly isBinary?: boolean;
};

const text = chartWords;
const width = 600;
const height = 120;
const dayMs = 24 * 60 * 60_000;
/** Rows of the table: several points are one row, with the highest value of each line. */
const rowsMax = 60;
const page = 10;

export function Chart({ title, lines: asked, points, write, isBinary = false }: ChartProps) {
  const [isTable, setTable] = useState(false);
  const [chosen, setChosen] = useState<number>();
  const id = useId();
  const isKnown = ({ series }: Line) => points.series[series]?.some((value) => value !== null) === true;
  // Of a shard that there is not nothing is known; where nothing is known at all, the chart says so.
  const lines = asked.some(isKnown) ? asked.filter((line, index) => index === 0 || isKnown(line)) : asked;
  const values = lines.map(({ series }) => points.series[series] ?? []);
  const count = Math.max(...values.map((line) => line.length), 1);
  const most = niceMax(Math.max(0, ...values.flat().map((value) => value ?? 0)), isBinary);
  const at = chosen === undefined ? undefined : Math.min(chosen, count - 1);
  const timeAt = timeWriter(points, count);
  const valuesAt = (index: number) =>
    lines.map(({ label }, line) => `${label} ${written(values[line]![index], write)}`).join(", ");
  return (
    <figure class="chart">
      <figcaption id={id}>{title}</figcaption>
      <ul class="legend">
        {lines.map(({ series, label }, line) => (
          <li key={series} class={`series-${line + 1}`}>
            <svg viewBox="0 0 24 8" aria-hidden="true">
              <path d="M0 4H24" />
            </svg>
            {label} <b>{written(values[line]![at ?? count - 1], write)}</b>
          </li>
        ))}
        <li class="moment">{at === undefined ? text.now : timeAt(at)}</li>
      </ul>
      {asked.some(isKnown) ? null : <p class="muted">{text.nothing}</p>}
      <div class="scale" aria-hidden="true">
        <span>{write(most)}</span>
        <span>{write(most / 2)}</span>
        <span>{write(0)}</span>
      </div>
      <div
        class="plot"
        role="slider"
        tabIndex={0}
        aria-labelledby={id}
        aria-valuemin={0}
        aria-valuemax={count - 1}
        aria-valuenow={at ?? count - 1}
        aria-valuetext={`${timeAt(at ?? count - 1)}: ${valuesAt(at ?? count - 1)}`}
        onKeyDown={(event) => {
          const next = moved(event.key, at ?? count - 1, count);
          if (next === undefined) return;
          event.preventDefault();
          setChosen(next === "none" ? undefined : next);
        }}
        onPointerMove={(event) => {
          const { left, width: room } = event.currentTarget.getBoundingClientRect();
          const share = room === 0 ? 0 : (event.clientX - left) / room;
          setChosen(Math.max(0, Math.min(count - 1, Math.round(share * (count - 1)))));
        }}
        onPointerLeave={() => setChosen(undefined)}
        onBlur={() => setChosen(undefined)}
      >
        <svg viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" aria-hidden="true">
          <path class="grid-lines" d={`M0 ${height / 2}H${width}M0 0.5H${width}M0 ${height - 0.5}H${width}`} />
          {gapsOf(points, count).map(({ from, to }) => (
            <rect key={from} class="gap" x={from} y="0" width={Math.max(2, to - from)} height={height} />
          ))}
          {values.map((line, index) => (
            <path key={lines[index]!.series} class={`line series-${index + 1}`} d={pathOf(line, count, most)} />
          ))}
          {at === undefined ? null : <path class="cursor" d={`M${xOf(at, count)} 0V${height}`} />}
        </svg>
      </div>
      <div class="times" aria-hidden="true">
        <span>{timeAt(0)}</span>
        <span>{timeAt(Math.floor((count - 1) / 2))}</span>
        <span>{timeAt(count - 1)}</span>
      </div>
      <p class="muted">
        {text.sentence(
          lines.map(({ label }, line) => highest(label, values[line]!, write, timeAt)).filter((part) => part !== ""),
        )}
        {gapsOf(points, count).length > 0 ? ` ${gapText(points)}` : ""}
      </p>
      <details
        onToggle={(event) => {
          setTable(event.currentTarget.open);
        }}
      >
        <summary>{text.table}</summary>
        {isTable ? (
          <Table lines={lines} values={values} count={count} write={write} timeAt={timeAt} title={title} />
        ) : null}
      </details>
    </figure>
  );
}

function Table({
  title,
  lines,
  values,
  count,
  write,
  timeAt,
}: {
  readonly title: string;
  readonly lines: readonly Line[];
  readonly values: readonly (readonly (number | null)[])[];
  readonly count: number;
  readonly write: (value: number) => string;
  readonly timeAt: (index: number) => string;
}) {
  const perRow = Math.ceil(count / rowsMax);
  const rows = Array.from({ length: Math.ceil(count / perRow) }, (_, row) => row * perRow).reverse();
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keys.
    <section class="points" aria-label={text.tableOf(title)} tabIndex={0}>
      <table>
        <thead>
          <tr>
            <th scope="col">{text.from}</th>
            {lines.map(({ series, label }) => (
              <th key={series} scope="col">
                {label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((first) => (
            <tr key={first}>
              <th scope="row">{timeAt(first)}</th>
              {values.map((line, index) => (
                <td key={lines[index]!.series}>{written(mostOf(line.slice(first, first + perRow)), write)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function xOf(index: number, count: number): number {
  return count < 2 ? width : (index / (count - 1)) * width;
}

/** Unknown points are left out: the line breaks there, and a point by itself is a dot. */
function pathOf(line: readonly (number | null)[], count: number, most: number): string {
  let path = "";
  let isOpen = false;
  line.forEach((value, index) => {
    if (value === null) {
      isOpen = false;
      return;
    }
    const place = `${xOf(index, count).toFixed(1)} ${(height - 1 - (value / most) * (height - 2)).toFixed(1)}`;
    const isAlone = !isOpen && (line[index + 1] ?? null) === null;
    path += `${isOpen ? "L" : "M"}${place}${isAlone ? "h0.01" : ""}`;
    isOpen = true;
  });
  return path;
}

/** Where the gaps are in the picture. */
function gapsOf(
  { startMs, stepMs, gaps }: Points,
  count: number,
): readonly { readonly from: number; readonly to: number }[] {
  const place = (ms: number) => Math.max(0, Math.min(width, xOf((ms - startMs) / stepMs, count)));
  return gaps.map(([from, to]) => ({ from: place(from), to: place(to) })).filter(({ to }) => to > 0);
}

function gapText({ gaps }: Points): string {
  const [from, to] = gaps.at(-1)!;
  return text.gap(gaps.length, dayTime(from), dayTime(to));
}

/** Days where the points span more than one. */
function timeWriter({ startMs, stepMs }: Points, count: number): (index: number) => string {
  const write = stepMs * count > 1.5 * dayMs ? dayTime : clockTime;
  return (index) => write(startMs + index * stepMs);
}

function moved(key: string, index: number, count: number): number | "none" | undefined {
  const steps: Readonly<Record<string, number>> = {
    ArrowLeft: -1,
    ArrowDown: -1,
    ArrowRight: 1,
    ArrowUp: 1,
    PageDown: -page,
    PageUp: page,
    Home: -count,
    End: count,
  };
  if (key === "Escape") return "none";
  const step = steps[key];
  return step === undefined ? undefined : Math.max(0, Math.min(count - 1, index + step));
}

function mostOf(line: readonly (number | null)[]): number | null {
  const known = line.filter((value) => value !== null);
  return known.length === 0 ? null : Math.max(...known);
}

function highest(
  label: string,
  line: readonly (number | null)[],
  write: (value: number) => string,
  timeAt: (index: number) => string,
): string {
  const most = mostOf(line);
  return most === null ? "" : text.highest(label, write(most), timeAt(line.indexOf(most)));
}

function written(value: number | null | undefined, write: (value: number) => string): string {
  return value === null || value === undefined ? "–" : write(value);
}
