// Bodies of requests: content type, size, UTF-8, JSON, in this order (spec HA 1.7).
import type { TSchema } from "@sinclair/typebox";
import { TypeCompiler } from "@sinclair/typebox/compiler";
import { HttpTextError } from "./errors.ts";
import { JsonShapeError, JsonSyntaxError } from "./json/reader.ts";
import { type JsonValue, readJson } from "./json/values.ts";

const jsonTypePattern = /^application\/(?:[^;\s]+\+)?json\s*(?:;|$)/i;
// A mark of byte order is no JSON: it stays, and the reader refuses it.
const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The text of a JSON body. Throws HttpTextError 415, 413 or 400. */
export async function readBodyText(request: Request, bytesMax: number): Promise<string> {
  if (!jsonTypePattern.test(request.headers.get("content-type") ?? "")) {
    throw new HttpTextError(415, "Expected request with `Content-Type: application/json`");
  }
  const announcedBytes = request.headers.get("content-length");
  if (announcedBytes !== null && Number(announcedBytes) > bytesMax) throw tooLarge();
  const bytes = announcedBytes === null ? await readChunks(request, bytesMax) : await readWhole(request);
  if (bytes.byteLength > bytesMax) throw tooLarge();
  try {
    return strictUtf8.decode(bytes);
  } catch {
    throw new HttpTextError(400, "Failed to parse the request body as JSON: invalid unicode code point");
  }
}

/**
 * A parser for routes: the JSON body, whose numbers keep all their digits, if it fits the schema. Checked here and not by the
 * router, whose own error cannot be made for such numbers. It throws HttpTextError.
 */
export function jsonBody(schema: TSchema, bytesMax: number): (context: { request: Request }) => Promise<JsonValue> {
  const check = TypeCompiler.Compile(schema);
  return async ({ request }) => {
    const value = parseBody(await readBodyText(request, bytesMax), readJson);
    if (check.Check(value)) return value;
    const fault = check.Errors(value).First();
    const name = fault?.path.slice(1).replaceAll("/", ".") ?? "";
    throw shapeError(`${name === "" ? "" : `${name}: `}${fault?.message ?? "invalid value"}`);
  };
}

/** Runs a parser over (a part of) a body; what it throws becomes an answer of 400 or 422. */
export function parseBody<S, T>(source: S, parse: (source: S) => T): T {
  try {
    return parse(source);
  } catch (error) {
    if (error instanceof JsonSyntaxError) {
      throw new HttpTextError(400, `Failed to parse the request body as JSON: ${error.message}`);
    }
    if (error instanceof JsonShapeError) throw shapeError(error.message);
    throw error;
  }
}

/** JSON that is not what the route takes: 422. */
function shapeError(detail: string): HttpTextError {
  return new HttpTextError(422, `Failed to deserialize the JSON body into the target type: ${detail}`);
}

function tooLarge(): HttpTextError {
  return new HttpTextError(413, "Failed to buffer the request body: length limit exceeded");
}

async function readWhole(request: Request): Promise<Uint8Array> {
  try {
    return await request.bytes();
  } catch (cause) {
    throw unreadable(cause);
  }
}

/** Without an announced length: nothing is kept past the limit. */
async function readChunks(request: Request, bytesMax: number): Promise<Uint8Array> {
  if (request.body === null) return new Uint8Array(0);
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  try {
    for await (const chunk of request.body) {
      sizeBytes += chunk.byteLength;
      if (sizeBytes > bytesMax) break;
      chunks.push(chunk);
    }
  } catch (cause) {
    throw unreadable(cause);
  }
  if (sizeBytes > bytesMax) throw tooLarge();
  return Buffer.concat(chunks);
}

function unreadable(cause: unknown): HttpTextError {
  const detail = cause instanceof Error ? cause.message : String(cause);
  return new HttpTextError(400, `Failed to buffer the request body: ${detail}`);
}
