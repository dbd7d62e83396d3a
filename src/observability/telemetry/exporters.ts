// The exporters, by the packages of the OpenTelemetry project. What waits to be sent is bounded (2,048 lines and 2,048 spans a thread);
// what is more is dropped: a collector that is slow or away costs the broker nothing but that.
import { DiagLogLevel, diag, type Span, SpanKind, SpanStatusCode, type Tracer } from "@opentelemetry/api";
import { type Logger, SeverityNumber } from "@opentelemetry/api-logs";
import { OTLPLogExporter as GrpcLogExporter } from "@opentelemetry/exporter-logs-otlp-grpc";
import { OTLPLogExporter as HttpLogExporter } from "@opentelemetry/exporter-logs-otlp-proto";
import { OTLPTraceExporter as GrpcTraceExporter } from "@opentelemetry/exporter-trace-otlp-grpc";
import { OTLPTraceExporter as HttpTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BatchLogRecordProcessor, LoggerProvider } from "@opentelemetry/sdk-logs";
import { BasicTracerProvider, BatchSpanProcessor } from "@opentelemetry/sdk-trace-base";
import type { LogLevel, LogRecord } from "../log.ts";
import { errorText, jsonText } from "../log-values.ts";
import {
  type Signal,
  type SpanAttributes,
  type Spans,
  type Telemetry,
  type TelemetrySettings,
  type TelemetrySource,
  telemetryTarget,
} from "./telemetry.ts";

const timeoutMillis = 5000;
const endMs = 3000;
const tellEveryMs = 60_000;
const severities: Readonly<Record<LogLevel, SeverityNumber>> = {
  error: SeverityNumber.ERROR,
  warn: SeverityNumber.WARN,
  info: SeverityNumber.INFO,
  debug: SeverityNumber.DEBUG,
  trace: SeverityNumber.TRACE,
};

/** As `openTelemetry`, where it is on. */
export function openExporters(
  settings: TelemetrySettings,
  source: TelemetrySource,
  tell: (message: string) => void,
): Telemetry {
  tellOfFailures(tell);
  const resource = resourceFromAttributes({
    "service.name": settings.serviceName,
    "service.version": source.version,
    "process.pid": process.pid,
    "thread.name": source.thread,
  });
  const { logs, traces } = settings;
  const logExporter = logs.transport === "grpc" ? new GrpcLogExporter(grpc(logs)) : new HttpLogExporter(http(logs));
  const logProvider = new LoggerProvider({
    resource,
    processors: [new BatchLogRecordProcessor({ exporter: logExporter, exportTimeoutMillis: timeoutMillis })],
  });
  const spanExporter =
    traces.transport === "grpc" ? new GrpcTraceExporter(grpc(traces)) : new HttpTraceExporter(http(traces));
  const spanProvider = new BasicTracerProvider({
    resource,
    spanProcessors: [new BatchSpanProcessor(spanExporter, { exportTimeoutMillis: timeoutMillis })],
  });
  return {
    record: recordsOf(logProvider.getLogger("whippet", source.version)),
    spans: spansOf(spanProvider.getTracer("whippet", source.version)),
    end: () => withinTime([logProvider.shutdown(), spanProvider.shutdown()]),
  };
}

/** The packages tell of themselves by one voice for the whole thread. */
function tellOfFailures(tell: (message: string) => void): void {
  let lastMs = Number.NEGATIVE_INFINITY;
  const report = (message: string) => {
    const nowMs = performance.now();
    if (nowMs - lastMs < tellEveryMs) return;
    lastMs = nowMs;
    tell(sentenceOf(message));
  };
  const silent = () => undefined;
  const voice = { error: report, warn: report, info: silent, debug: silent, verbose: silent };
  diag.setLogger(voice, { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true });
}

/** Some errors are told as JSON with all that they hold; what a person wants to know is their message. */
function sentenceOf(told: string): string {
  try {
    const { message } = JSON.parse(told) as { readonly message?: unknown };
    return typeof message === "string" ? message : told;
  } catch {
    return told; // a sentence
  }
}

function http({ endpoint }: Signal) {
  return { url: endpoint, timeoutMillis };
}

/** Without the path: the default has one, which is for HTTP, and means nothing here. */
function grpc({ endpoint }: Signal) {
  const { protocol, host } = new URL(endpoint);
  return { url: `${protocol}//${host}`, timeoutMillis };
}

function recordsOf(logger: Logger): (record: LogRecord) => void {
  return ({ time, level, target, message, fields }) => {
    if (target === telemetryTarget) return;
    const attributes: Record<string, string | number | boolean> = { target };
    for (const [key, value] of Object.entries(fields ?? {})) attributes[key] = attributeOf(value);
    logger.emit({
      timestamp: time,
      severityNumber: severities[level],
      severityText: level.toUpperCase(),
      body: message,
      attributes,
    });
  };
}

function attributeOf(value: unknown): string | number | boolean {
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") return value;
  if (typeof value === "bigint") return String(value);
  return value instanceof Error ? errorText(value) : jsonText(value);
}

function spansOf(tracer: Tracer): Spans {
  return {
    trace<T>(name: string, attributes: SpanAttributes, work: () => T, describe: (error: unknown) => string): T {
      const span = tracer.startSpan(name, { kind: SpanKind.SERVER, attributes });
      let result: T;
      try {
        result = work();
      } catch (error) {
        endFailed(span, describe(error));
        throw error;
      }
      if (!(result instanceof Promise)) {
        span.end();
        return result;
      }
      result.then(
        () => span.end(),
        (error: unknown) => endFailed(span, describe(error)),
      );
      return result;
    },
  };
}

function endFailed(span: Span, message: string): void {
  span.setStatus({ code: SpanStatusCode.ERROR, message });
  span.setAttribute("error.type", message);
  span.end();
}

/** Settled or not: the end of the broker does not wait longer for a collector. What fails was told by the packages. */
async function withinTime(work: readonly Promise<void>[]): Promise<void> {
  let timer: Timer | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, endMs);
  });
  await Promise.race([Promise.allSettled(work), late]);
  clearTimeout(timer);
}
