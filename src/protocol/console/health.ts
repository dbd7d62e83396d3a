// What the console says of the broker's health: GET /ui/api/health. Words are the page's.

export type FindingCode =
  | "diskNearlyFull"
  | "diskFills"
  | "certificateEnds"
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
