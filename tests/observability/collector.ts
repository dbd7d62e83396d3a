// Stand-ins for a collector of OpenTelemetry: one over HTTP, one over gRPC. They read what OTLP says of a log record and a span, by the
// numbers of its fields (opentelemetry-proto 1, logs, trace, common).
import { Server, ServerCredentials } from "@grpc/grpc-js";
import { parse, type Type } from "protobufjs";

const schema = parse(`
syntax = "proto3";
message AnyValue { oneof value { string string_value = 1; bool bool_value = 2; int64 int_value = 3; double double_value = 4; } }
message KeyValue { string key = 1; AnyValue value = 2; }
message Resource { repeated KeyValue attributes = 1; }
message LogRecord { fixed64 time = 1; int32 severity_number = 2; string severity_text = 3; AnyValue body = 5; repeated KeyValue attributes = 6; }
message Status { string message = 2; int32 code = 3; }
message Span { string name = 5; fixed64 start = 7; fixed64 end = 8; repeated KeyValue attributes = 9; Status status = 15; }
message ScopeLogs { repeated LogRecord records = 2; }
message ScopeSpans { repeated Span records = 2; }
message ResourceLogs { Resource resource = 1; repeated ScopeLogs scopes = 2; }
message ResourceSpans { Resource resource = 1; repeated ScopeSpans scopes = 2; }
message ExportLogs { repeated ResourceLogs resources = 1; }
message ExportSpans { repeated ResourceSpans resources = 1; }
`).root;
const logs = schema.lookupType("ExportLogs");
const spans = schema.lookupType("ExportSpans");

interface Value {
  readonly stringValue?: string;
  readonly boolValue?: boolean;
  readonly intValue?: { toString(): string };
  readonly doubleValue?: number;
}
interface Attribute {
  readonly key: string;
  readonly value: Value;
}
interface Exported {
  readonly resources: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] };
    readonly scopes: readonly { readonly records: readonly ExportedRecord[] }[];
  }[];
}
interface ExportedRecord {
  readonly name?: string;
  readonly severityText?: string;
  readonly body?: Value;
  readonly attributes: readonly Attribute[];
  readonly status?: { readonly code: number; readonly message: string };
}

type Plain = string | number | boolean | undefined;

/** A log record or a span, with its attributes and those of its resource. */
export interface Received {
  readonly resource: Readonly<Record<string, Plain>>;
  readonly attributes: Readonly<Record<string, Plain>>;
  /** Of a span. */
  readonly name: string;
  /** Of a log record. */
  readonly body: Plain;
  readonly severity: string;
  readonly status: { readonly code: number; readonly message: string } | undefined;
}

export class Collector implements AsyncDisposable {
  readonly logs: Received[] = [];
  readonly spans: Received[] = [];
  readonly #end: () => Promise<void>;
  readonly url: string;

  private constructor(open: (collector: Collector) => { readonly url: string; end(): Promise<void> }) {
    const { url, end } = open(this);
    this.url = url;
    this.#end = end;
  }

  static http(): Collector {
    return new Collector((collector) => {
      const server = Bun.serve({
        port: 0,
        hostname: "127.0.0.1",
        fetch: async (request) => {
          const bytes = await request.bytes();
          if (request.headers.get("content-type") !== "application/x-protobuf")
            return new Response(null, { status: 415 });
          const { pathname } = new URL(request.url);
          if (pathname === "/v1/logs") collector.#take(logs, bytes, collector.logs);
          else if (pathname === "/v1/traces") collector.#take(spans, bytes, collector.spans);
          else return new Response(null, { status: 404 });
          return new Response(new Uint8Array(), { headers: { "content-type": "application/x-protobuf" } });
        },
      });
      return { url: `http://127.0.0.1:${server.port}`, end: () => server.stop(true) };
    });
  }

  static async grpc(): Promise<Collector> {
    const server = new Server();
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) => {
        if (error === null) resolve(bound);
        else reject(error);
      });
    });
    return new Collector((collector) => {
      addMethod(server, "logs.v1.LogsService", (bytes) => collector.#take(logs, bytes, collector.logs));
      addMethod(server, "trace.v1.TraceService", (bytes) => collector.#take(spans, bytes, collector.spans));
      return { url: `http://127.0.0.1:${port}`, end: async () => server.forceShutdown() };
    });
  }

  #take(type: Type, bytes: Uint8Array, into: Received[]): void {
    const exported = type.toObject(type.decode(bytes), { defaults: true, arrays: true }) as Exported;
    for (const { resource, scopes } of exported.resources) {
      for (const record of scopes.flatMap(({ records }) => records)) {
        const { name = "", severityText: severity = "", body, status } = record;
        into.push({
          resource: plainOf(resource.attributes),
          attributes: plainOf(record.attributes),
          name,
          severity,
          status,
          body: body && plainValue(body),
        });
      }
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#end();
  }
}

/** The one method of a service, with requests as they came and empty replies. */
function addMethod(server: Server, service: string, take: (bytes: Uint8Array) => void): void {
  const asItIs = (bytes: Buffer) => bytes;
  const definition = {
    path: `/opentelemetry.proto.collector.${service}/Export`,
    requestStream: false,
    responseStream: false,
    requestSerialize: asItIs,
    requestDeserialize: asItIs,
    responseSerialize: asItIs,
    responseDeserialize: asItIs,
  } as const;
  server.addService(
    { export: definition },
    {
      export: ({ request }: { readonly request: Buffer }, done: (error: null, reply: Buffer) => void) => {
        take(request);
        done(null, Buffer.alloc(0));
      },
    },
  );
}

function plainOf(attributes: readonly Attribute[]): Readonly<Record<string, Plain>> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, plainValue(value)]));
}

function plainValue(value: Value): Plain {
  if (value.intValue !== undefined) return Number(value.intValue.toString());
  return value.stringValue ?? value.boolValue ?? value.doubleValue;
}

/** For the environment of a server that exports both signals to a collector. */
export function telemetryTo({ url }: { readonly url: string }, transport: "grpc" | "http") {
  return {
    IGGY_TELEMETRY_ENABLED: "true",
    IGGY_TELEMETRY_SERVICE_NAME: "orders-broker",
    IGGY_TELEMETRY_LOGS_TRANSPORT: transport,
    IGGY_TELEMETRY_TRACES_TRANSPORT: transport,
    IGGY_TELEMETRY_LOGS_ENDPOINT: `${url}/v1/logs`,
    IGGY_TELEMETRY_TRACES_ENDPOINT: `${url}/v1/traces`,
  };
}
