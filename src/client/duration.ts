// Durations as the Rust SDK reads them in connection strings: `5s`, `1m 30s`, `250ms`.

const unitMs: Readonly<Record<string, number>> = Object.fromEntries(
  (
    [
      [1e-6, "nsec ns"],
      [1e-3, "usec us"],
      [1, "msec ms millis"],
      [1_000, "seconds second secs sec s"],
      [60_000, "minutes minute mins min m"],
      [3_600_000, "hours hour hrs hr h"],
      [86_400_000, "days day d"],
      [7 * 86_400_000, "weeks week wks wk w"],
    ] as const
  ).flatMap(([ms, names]) => names.split(" ").map((name) => [name, ms])),
);

/** What stands for no time at all there. */
const noTime: ReadonlySet<string> = new Set(["0", "unlimited", "disabled", "none"]);

/** Milliseconds of a text like `1m 30s`; undefined if it is none. */
export function parseDurationMs(text: string): number | undefined {
  if (noTime.has(text)) return 0;
  const pattern = /\s*(\d+)\s*([a-z]+)/y;
  let sumMs = 0;
  for (;;) {
    const match = pattern.exec(text);
    if (match === null) return undefined;
    const ms = unitMs[match[2] ?? ""];
    if (ms === undefined) return undefined;
    sumMs += Number(match[1]) * ms;
    if (pattern.lastIndex === text.length) return sumMs;
  }
}
