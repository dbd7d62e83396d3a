// Bodies of requests: content type, size, UTF-8, JSON, in this order (spec HA 1.7).
import type { TSchema } from "@sinclair/typebox";
import { TypeCompiler } from "@sinclair/typebox/compiler";
import { isLongRequest } from "../../server/index.ts";
import { HttpTextError } from "./errors.ts";
import { JsonShapeError, JsonSyntaxError } from "./json/reader.ts";
import { type JsonValue, readJson } from "./json/values.ts";

const jsonTypePattern = /^application\/(?:[^;\s]+\+)?json\s*(?:;|$)/i;
/** What is read of a body that is too large, and for how long, so that its client gets the answer. */
const discardedBytesMax = 64 * 1024 * 1024;
const discardedMsMax = 10_000;
/**
 * Largest body of a route that asks for no token: user names, passwords and tokens are far smaller, and what nobody is asked
 * for must not cost the broker much. The binary transports allow as much before a login.
 */
export const publicBodyBytesMax = 64 * 1024;

// A mark of byte order is no JSON: it stays, and the reader refuses it.
const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The text of a JSON body. Throws HttpTextError 415, 413 or 400. */
export async function readBodyText(request: Request, bytesMax: number): Promise<string> {
  if (!jsonTypePattern.test(request.headers.get("content-type") ?? "")) {
    throw new HttpTextError(415, "Expected request with `Content-Type: application/json`");
  }
  const announcedBytes = request.headers.get("content-length");
  const isSmall = announcedBytes !== null && Number(announcedBytes) <= bytesMax;
  const bytes = isSmall ? await readWhole(request) : await readChunks(request, bytesMax);
  if (bytes === undefined || bytes.byteLength > bytesMax) throw tooLarge();
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
    const value = parseBody(await readBodyText(request, bytesMax), (text) => readJson(text, schema));
    if (check.Check(value)) return value;
    const fault = check.Errors(value).First();
    const name = fault?.path.slice(1).replaceAll("/", ".") ?? "";
    throw shapeError(`${name === "" ? "" : `${name}: `}${fault?.message ?? "invalid value"}`);
  };
}

/**
 * As `jsonBody`, for bodies that take long to read: one that is long, or may be, is read only once `requireRight` has not
 * thrown. What it throws is thrown when the body has been taken off the connection, unseen.
 */
export function guardedJsonBody<C extends { readonly request: Request }>(
  schema: TSchema,
  bytesMax: number,
  requireRight: (context: C) => void,
): (context: C) => Promise<JsonValue> {
  const parse = jsonBody(schema, bytesMax);
  return async (context) => {
    const { request } = context;
    const announced = request.headers.get("content-length");
    if (isLongRequest(announced === null ? undefined : Number(announced))) {
      try {
        requireRight(context);
      } catch (error) {
        await readChunks(request, 0);
        throw error;
      }
    }
    return await parse(context);
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

/**
 * Nothing is kept past the limit: undefined then. The rest is read all the same, up to a bound: an answer to a client that is
 * still sending would be lost with the connection, which the system resets when bytes arrive for nobody.
 */
async function readChunks(request: Request, bytesMax: number): Promise<Uint8Array | undefined> {
  if (request.body === null) return new Uint8Array(0);
  const chunks: Uint8Array[] = [];
  const startedMs = performance.now();
  let sizeBytes = 0;
  try {
    for await (const chunk of request.body) {
      sizeBytes += chunk.byteLength;
      if (sizeBytes <= bytesMax) chunks.push(chunk);
      else chunks.length = 0;
      const isOver = sizeBytes > bytesMax + discardedBytesMax || performance.now() - startedMs > discardedMsMax;
      if (sizeBytes > bytesMax && isOver) break;
    }
  } catch (cause) {
    throw unreadable(cause);
  }
  return sizeBytes > bytesMax ? undefined : Buffer.concat(chunks);
}

function unreadable(cause: unknown): HttpTextError {
  const detail = cause instanceof Error ? cause.message : String(cause);
  return new HttpTextError(400, `Failed to buffer the request body: ${detail}`);
}
