// The log of the broker: GET /ui/api/log, and the lines that come from now on, on the channel of the log.

export type LogLevelName = "error" | "warn" | "info" | "debug" | "trace";
/** From the least to the most talkative. */
export const logLevelNames: readonly LogLevelName[] = ["error", "warn", "info", "debug", "trace"];

export type LogArgs = {
  /** And all that are worse. */
  readonly level: LogLevelName;
  /** Part of the program, with all below it; empty: any. */
  readonly target: string;
  /** Part of the line, in any case; empty: any. */
  readonly q: string;
};

/** `from`: the place behind the newest line that is known; absent: the begin of the newest file. */
export type LogFollowArgs = LogArgs & { readonly from?: string };

export type LogLine = {
  /** File and byte: the link to the line. */
  readonly at: string;
  /** ISO 8601, UTC; null, and no level, for what is no line of the logger. */
  readonly time: string | null;
  readonly level: LogLevelName | null;
  readonly target: string;
  readonly text: string;
  readonly fields: Readonly<Record<string, string>>;
};

export type LogReply = {
  /** False: nothing is logged to files, so there is nothing to read. */
  readonly enabled: boolean;
  /** Newest first. */
  readonly lines: readonly LogLine[];
  /** Where to go on; absent: there is nothing older. */
  readonly before?: string | undefined;
  /** Where what is written from now on begins; absent: there is no file yet. */
  readonly end?: string | undefined;
  readonly scannedBytes: number;
};

export type LogTail = {
  /** Oldest first. */
  readonly lines: readonly LogLine[];
  /** More came than is read at a time: so many bytes are left out. */
  readonly skippedBytes: number;
  /** Where the next ones begin. */
  readonly end?: string | undefined;
};

export const logLimits = { lines: 1000, textChars: 200 } as const;
