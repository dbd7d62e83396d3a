// Texts of taking messages out as files.
export const downloadWords = {
  name: "Download",
  title: "Download messages",
  note: "The browser writes the file while the broker reads: a range may be of any size.",
  shown: "The rows that are shown",
  range: "A range",
  format: "As",
  formats: { ndjson: "NDJSON, one message a line", raw: "raw, as in a segment" },
  from: "From offset or time",
  to: "To offset or time",
  first: "the first",
  last: "the last",
  ofAll: "All partitions, one after the other.",
  ofOne: (partition: string) => `Partition ${partition} only.`,
  bad: "A bound is an offset or a time such as 2026-11-29T10:02Z.",
  start: "Download the range",
  startShown: "Download the rows",
} as const;
