// The part of a route that is documentation: what it answers, by status. Answers are written by hand because of their exact
// numbers (spec HA 1.5), so their schemas describe and the tests check; requests are checked by the schemas themselves.
import { type TSchema, Type as t } from "@sinclair/typebox";
import { u32 } from "./kinds.ts";

export const errorBody = t.Object(
  {
    id: u32,
    code: t.String({ description: "Name of the error in snake case." }),
    reason: t.String(),
    field: t.Union([t.String(), t.Null()]),
  },
  { title: "Error" },
);

interface MediaType {
  readonly schema: TSchema;
}

interface ResponseObject {
  readonly description: string;
  readonly content?: Readonly<Record<string, MediaType>>;
}

export interface Answer {
  readonly status: 200 | 201 | 204;
  readonly description?: string;
  /** JSON, unless `mediaType` says otherwise. Without a schema the answer has no body. */
  readonly schema?: TSchema;
  readonly mediaType?: string;
}

export type FailureStatus = 400 | 403 | 404 | 413 | 415 | 422 | 503;

const text: MediaType = { schema: t.String() };
const json: MediaType = { schema: errorBody };

const failures: Readonly<Record<FailureStatus | 401, ResponseObject>> = {
  400: {
    description: "The request does not parse (text), or is refused (an error).",
    content: { "application/json": json, "text/plain": text },
  },
  401: { description: "No valid access token; no body." },
  403: { description: "The user has no right to do this.", content: { "application/json": json } },
  404: { description: "Something named in the path does not exist.", content: { "application/json": json } },
  413: { description: "The body is larger than `http.max_request_size`.", content: { "text/plain": text } },
  415: { description: "The body is not announced as JSON.", content: { "text/plain": text } },
  422: { description: "The body is JSON of another shape.", content: { "text/plain": text } },
  503: { description: "Too many ask for it at the same time: come again.", content: { "application/json": json } },
};

/** With a body a request can fail in these ways too. */
export const bodyFailures = [413, 415, 422] as const;

/** A JSON body that the route reads by itself. */
export function jsonRequest(schema: TSchema): { required: boolean; content: Record<string, MediaType> } {
  return { required: true, content: { "application/json": { schema } } };
}

/** The `detail` of a route. */
export function documented(
  tag: string,
  summary: string,
  answer: Answer,
  statuses: readonly FailureStatus[],
  options: { isPublic?: boolean; mayBe401?: boolean } = {},
) {
  const { status, schema, mediaType = "application/json", description = "Done." } = answer;
  const success: ResponseObject = schema
    ? { description, content: { [mediaType]: { schema } } }
    : { description: "Done; no body." };
  // The check of the header answers without a body.
  const refusedToken = { description: "The token is not accepted.", content: { "application/json": json } };
  const all = options.isPublic === true && options.mayBe401 !== true ? statuses : [401 as const, ...statuses];
  return {
    tags: [tag],
    summary,
    ...(options.isPublic === true ? { security: [] } : {}),
    responses: {
      [status]: success,
      ...Object.fromEntries(
        all.map((code) => [code, code === 401 && options.isPublic === true ? refusedToken : failures[code]]),
      ),
    },
  };
}
