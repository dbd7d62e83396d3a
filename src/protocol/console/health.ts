// What the console says of the broker's health: GET /ui/api/health, and the numbers that go over the channel of metrics. Words are
// the page's.

export type FindingCode =
  | "diskNearlyFull"
  | "fencedPartitions"
  | "closedPartitions"
  | "damagedMessages"
  | "refusedWrites"
  | "stalledLoops"
  | "refusedConnections"
  | "refusedLogins"
  | "heldSegments";

export type Finding = {
  readonly code: FindingCode;
  readonly level: "warn" | "bad";
  /** The topic that it is about. */
  readonly subject?: { readonly stream: string; readonly topic: string };
  /** Numbers as decimal text, names as they are. */
  readonly values: Readonly<Record<string, string>>;
};

export type Health = { readonly level: "ok" | "warn" | "bad"; readonly findings: readonly Finding[] };

/** Rates are per second, of the time since the sample before; times are ms; null: not known, or nothing happened. */
export type MetricName =
  | "sends"
  | "polls"
  | "receivedBytes"
  | "sentBytes"
  | "sendP99"
  | "pollP99"
  | "clients"
  | "memoryBytes"
  | "cpuPercent"
  | "diskFreeBytes";

export type MetricValues = { readonly [Name in MetricName]: number | null };
