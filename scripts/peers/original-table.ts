// What the rounds of the comparison with the original say, row by row.

import { betterHalf, lesserHalf } from "./better-half.ts";
import type { OriginalRow } from "./rows.ts";
import { figure, type Table } from "./table.ts";
import type { IggyBenchResult } from "./tools/iggy-bench.ts";

/** Results of all rounds, those of one round at the same place. */
export type Measured = {
  readonly row: OriginalRow;
  readonly whippet: IggyBenchResult[];
  readonly original: IggyBenchResult[];
};

export type Summary = {
  readonly name: string;
  readonly title: string;
  readonly unit: "MB/s" | "messages/s";
  /** Means of the better half of each server's rounds. */
  readonly whippet: number;
  readonly original: number;
  /** Whippet's by the original's. */
  readonly ratio: number;
  /** The ratio of each round. */
  readonly ratios: readonly number[];
  readonly target: number;
  readonly whippetP99Ms: number;
  readonly originalP99Ms: number;
  readonly isRatioReached: boolean;
  /** Whether Whippet's p99 is at most the original's; the tool says it to a hundredth of a millisecond. */
  readonly isP99Reached: boolean;
};

/** A request of one message counts messages, any other one megabytes of payload. */
export function summaryOf({ row, whippet, original }: Measured): Summary {
  const unit = row.messagesPerBatch === 1 ? "messages/s" : "MB/s";
  const rate = (result: IggyBenchResult) => (unit === "MB/s" ? result.megabytesPerSecond : result.messagesPerSecond);
  const [ours, theirs] = [whippet.map(rate), original.map(rate)];
  const ratio = betterHalf(ours) / betterHalf(theirs);
  const p99 = (results: readonly IggyBenchResult[]) => lesserHalf(results.map(({ p99Ms }) => p99Ms));
  return {
    ...{ name: row.name, title: row.title, unit, ratio, target: row.target },
    whippet: betterHalf(ours),
    original: betterHalf(theirs),
    ratios: ours.map((own, round) => own / (theirs[round] ?? Number.NaN)),
    whippetP99Ms: p99(whippet),
    originalP99Ms: p99(original),
    isRatioReached: ratio >= row.target,
    isP99Reached: p99(whippet) <= p99(original),
  };
}

const mark = (isReached: boolean) => (isReached ? "yes" : "NO");

/** The table; `notes` say how both were started. */
export function tableOf(summaries: readonly Summary[], notes: readonly string[]): Table {
  const reached = summaries.filter(({ isRatioReached }) => isRatioReached).length;
  const reachedP99 = summaries.filter(({ isP99Reached }) => isP99Reached).length;
  return {
    title: "Beside the original, Apache Iggy 0.8.0",
    head: [
      "",
      "Whippet",
      "original",
      "ratio",
      "wanted",
      "held",
      "ratios of the rounds",
      "p99 ms",
      "original",
      "p99 held",
    ],
    rows: summaries.map((summary) => [
      summary.title,
      `${figure(summary.whippet)} ${summary.unit}`,
      `${figure(summary.original)} ${summary.unit}`,
      summary.ratio.toFixed(2),
      `≥ ${summary.target}`,
      mark(summary.isRatioReached),
      summary.ratios.map((ratio) => ratio.toFixed(2)).join(" "),
      summary.whippetP99Ms.toFixed(2),
      summary.originalP99Ms.toFixed(2),
      mark(summary.isP99Reached),
    ]),
    notes: [
      ...notes,
      "Each figure is the mean of the better half of that server's rounds; MB are 1,000,000 bytes of payload. Rates are all messages by all of the time: the tool's own leave out the slices of 10 ms in which nothing ended.",
      `Held: ${reached} of ${summaries.length} ratios, ${reachedP99} of ${summaries.length} p99.`,
    ],
  };
}
