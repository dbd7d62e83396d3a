// GET /ui/api/export: a range of a topic as a file, which the browser writes to its disk as it comes. It never is in memory as a
// whole, here or there: the next part is read when the last one has gone.
import { IggyError } from "../../../protocol/errors.ts";
import { Export, type ExportArgs, type ExportBound } from "../../../server/index.ts";
import type { Caller } from "../auth/access-tokens.ts";
import { HttpTextError } from "../errors.ts";
import type { HttpServices } from "../services.ts";
import type { SignIns } from "./sign-ins.ts";

const u32Max = 2 ** 32 - 1;
const types = { ndjson: "application/x-ndjson", raw: "application/octet-stream" } as const;

/** Errors: Unauthenticated (40), those of `Export`, HttpTextError for arguments that are none. */
export function exportOf(
  { context, log }: HttpServices,
  signIns: SignIns,
  caller: Caller | undefined,
  request: Request,
): Response {
  if (caller === undefined) throw new IggyError("Unauthenticated");
  const args = argsOf(new URL(request.url).searchParams);
  const source = new Export(context.shard, caller.session, args);
  const headers = {
    "content-type": types[args.format],
    "content-disposition": `attachment; filename*=UTF-8''${encodeURIComponent(nameOf(args))}`,
  };
  if (request.method === "HEAD") return new Response(null, { headers });
  let forget = (): void => undefined;
  const body = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        forget = signIns.add(caller, () => controller.error(new IggyError("Unauthenticated")));
      },
      async pull(controller) {
        try {
          const bytes = await source.next();
          if (bytes === undefined) {
            forget();
            controller.close();
          } else {
            controller.enqueue(bytes);
          }
        } catch (error) {
          // The answer has begun: that it is cut off is all that the reader learns.
          log.warn("an export was cut off", { stream: args.stream, topic: args.topic, error });
          forget();
          controller.error(error);
        }
      },
      cancel: () => forget(),
    },
    { highWaterMark: 0 },
  );
  return new Response(body, { headers });
}

function argsOf(query: URLSearchParams): ExportArgs {
  const [stream, topic, format] = [query.get("stream"), query.get("topic"), query.get("format") ?? "ndjson"];
  if (!stream || !topic) throw new HttpTextError(400, "Expected stream and topic");
  if (format !== "ndjson" && format !== "raw") throw new HttpTextError(400, "Expected format ndjson or raw");
  const partition = query.get("partition");
  if (partition !== null && !(/^\d{1,10}$/.test(partition) && Number(partition) <= u32Max)) {
    throw new HttpTextError(400, "Expected partition to be a number");
  }
  const partitionId = partition === null ? undefined : Number(partition);
  return { stream, topic, partitionId, format, from: boundOf(query, "from"), to: boundOf(query, "to") };
}

function boundOf(query: URLSearchParams, name: string): ExportBound | undefined {
  const text = query.get(name);
  if (text === null || text === "") return undefined;
  if (/^\d{1,20}$/.test(text)) return { kind: "offset", offset: Math.min(Number(text), Number.MAX_SAFE_INTEGER) };
  const millis = text.startsWith("@") ? Date.parse(text.slice(1)) : Number.NaN;
  if (Number.isNaN(millis)) {
    throw new HttpTextError(400, `Expected ${name} to be an offset, or @ and a time such as 2026-11-29T10:02:00Z`);
  }
  return { kind: "time", micros: Math.max(0, millis * 1000) };
}

function nameOf({ topic, partitionId, format }: ExportArgs): string {
  const suffix = format === "raw" ? "log" : "ndjson";
  return `${topic}${partitionId === undefined ? "" : `-${partitionId}`}.${suffix}`;
}
