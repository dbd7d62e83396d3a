// What a thread exports with OpenTelemetry (`[telemetry]`): its log lines, and a span for each command that the original gives one
// (spec SB 8.7).
import type { LogRecord } from "../log.ts";

/** Lines of this target say that exporting fails; exported, they would tell of themselves. */
export const telemetryTarget = "telemetry";

export type SpanAttributes = Readonly<Record<string, string | number | boolean>>;

/** Makes spans. */
export interface Spans {
  /**
   * What `work` returns, or its promise resolves with; a span of the name lasts as long as it does. An error that it throws or rejects
   * with passes through, and is the status of the span as `describe` says it.
   */
  trace<T>(name: string, attributes: SpanAttributes, work: () => T, describe: (error: unknown) => string): T;
}

/** One for each thread. */
export interface Telemetry {
  /** Exports a log line, later; undefined where nothing is exported. */
  readonly record: ((record: LogRecord) => void) | undefined;
  readonly spans: Spans | undefined;
  /** Sends what waits, for three seconds at most, and ends. Never rejects. */
  end(): Promise<void>;
}

export const noTelemetry: Telemetry = { record: undefined, spans: undefined, end: () => Promise.resolve() };

/** Where one of the two is sent. */
export interface Signal {
  readonly transport: "grpc" | "http";
  /** Over gRPC its path is not used. */
  readonly endpoint: string;
}

/** `[telemetry]` of the configuration. */
export interface TelemetrySettings {
  readonly enabled: boolean;
  readonly serviceName: string;
  readonly logs: Signal;
  readonly traces: Signal;
}

/** Of which thread it is, for the attributes of its resource. */
export interface TelemetrySource {
  readonly version: string;
  /** "main", or "shard-0". */
  readonly thread: string;
}
