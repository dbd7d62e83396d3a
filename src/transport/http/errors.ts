// Every answer that is not a success: the JSON body of an error of the table (spec HA 3), and the plain texts for requests
// that do not parse (spec HA 1.7).
import { errorTable, reasonOf } from "../../protocol/error-table.ts";
import { type ErrorName, IggyError, toIggyError } from "../../protocol/errors.ts";
import { snakeNameOf } from "../../protocol/snake-name.ts";

/** A request that does not parse. */
export class HttpTextError extends Error {
  override readonly name = "HttpTextError";
  readonly status: 400 | 413 | 415 | 422;

  constructor(status: 400 | 413 | 415 | 422, text: string) {
    super(text);
    this.status = status;
  }
}

/** The general "not found", whose id is no number of the error table (spec HA 3.4). */
export class NotFoundError extends Error {
  override readonly name = "NotFoundError";
}

const fieldNames: Partial<Record<ErrorName, string>> = {
  StreamIdNotFound: "stream_id",
  InvalidStreamId: "stream_id",
  TopicIdNotFound: "topic_id",
  InvalidTopicId: "topic_id",
  PartitionNotFound: "partition_id",
  SegmentNotFound: "segment_id",
  ClientNotFound: "client_id",
  StreamNameAlreadyExists: "name",
  InvalidStreamName: "name",
  TopicNameAlreadyExists: "name",
  InvalidTopicName: "name",
  ConsumerGroupNameAlreadyExists: "name",
  PersonalAccessTokenAlreadyExists: "name",
  InvalidOffset: "offset",
  InvalidConsumerGroupId: "consumer_group_id",
  UserAlreadyExists: "username",
};

/** Come again: too many logins wait, or a snapshot is being made already. */
const statuses: Partial<Record<ErrorName, number>> = {
  CannotEstablishConnection: 503,
  SnapshotFileCompletionFailed: 503,
};

const jsonHeaders = { "content-type": "application/json" };
const textHeaders = { "content-type": "text/plain; charset=utf-8" };

const notFoundBody = JSON.stringify({ id: 404, code: "not_found", reason: "Resource not found", field: null });

/** The answer for anything that was thrown. */
export function errorResponse(thrown: unknown): Response {
  if (thrown instanceof NotFoundError) return new Response(notFoundBody, { status: 404, headers: jsonHeaders });
  if (thrown instanceof HttpTextError) {
    // What was not read of a body that is too large is not read at all: the connection ends (spec HA 1.7).
    const headers = thrown.status === 413 ? { ...textHeaders, connection: "close" } : textHeaders;
    return new Response(thrown.message, { status: thrown.status, headers });
  }
  const error = toIggyError(thrown);
  const body = {
    id: error.code,
    code: snakeNameOf(error.errorName),
    reason: reasonOf(error),
    field: fieldNames[error.errorName] ?? null,
  };
  return new Response(JSON.stringify(body), {
    status: statuses[error.errorName] ?? errorTable[error.errorName].httpStatus,
    headers: jsonHeaders,
  });
}

export function jsonResponse(value: unknown, status = 200, more: Readonly<Record<string, string>> = {}): Response {
  const text = JSON.stringify(value);
  const headers = { ...jsonHeaders, "content-length": String(Buffer.byteLength(text)), ...more };
  return new Response(text, { status, headers });
}

export function textResponse(text: string, status = 200): Response {
  return new Response(text, { status, headers: textHeaders });
}

export function emptyResponse(status: number): Response {
  return new Response(null, { status });
}

/** Runs `work`; an error of the given name becomes the general "not found". */
export async function notFoundInsteadOf<T>(name: ErrorName, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof IggyError && error.errorName === name) throw new NotFoundError();
    throw error;
  }
}

/** The object of a lookup; a missing one is the general "not found". */
export function requireFound<T>(found: T | undefined): T {
  if (found === undefined) throw new NotFoundError();
  return found;
}
