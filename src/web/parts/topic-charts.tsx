// What was sent to a topic, and how large it was, in the last hour or day. Fetched when somebody opens it.
import { useState } from "preact/hooks";
import { useHistory } from "../data/history.ts";
import { count, size } from "../words/numbers.ts";
import { historyWords as text } from "../words/observe.ts";
import { Chart } from "./chart.tsx";
import { isHistoryOff, RangeChoice } from "./history-parts.tsx";
import { LoadedPart } from "./notice.tsx";

const series = ["topic.in.messages", "topic.in.bytes", "topic.size"] as const;
/** Numbers of a topic are kept for a day. */
const ranges = ["1h", "24h"] as const;

export function TopicCharts({ stream, topic }: { readonly stream: string; readonly topic: string }) {
  const [range, setRange] = useState<(typeof ranges)[number]>("1h");
  const loaded = useHistory(series, range, undefined, { stream, topic });
  if (isHistoryOff(loaded.error)) return <p class="muted">{text.off}</p>;
  return (
    <>
      <RangeChoice ranges={ranges} range={range} onChange={setRange} />
      <LoadedPart loaded={loaded}>
        {(points) => (
          <div class="charts">
            <Chart
              title={text.charts.topicIn}
              lines={[{ series: series[0], label: text.lines.messages }]}
              points={points}
              write={(value) => count(Math.round(value * 10) / 10)}
            />
            <Chart
              title={text.charts.topicBytes}
              lines={[{ series: series[1], label: text.lines.bytes }]}
              points={points}
              write={(value) => size(Math.round(value))}
              isBinary
            />
            <Chart
              title={text.charts.topicSize}
              lines={[{ series: series[2], label: text.lines.size }]}
              points={points}
              write={(value) => size(Math.round(value))}
              isBinary
            />
          </div>
        )}
      </LoadedPart>
    </>
  );
}
