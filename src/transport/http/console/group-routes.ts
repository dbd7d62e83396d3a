// What the console asks about consumer groups, stored offsets and the parts of a topic, and how it moves a group.
import { Type as t } from "@sinclair/typebox";
import { type GroupsQuery, groupsMax, type MoveOffsets, type MoveTarget } from "../../../protocol/console/groups.ts";
import { historyLimits } from "../../../protocol/console/history.ts";
import { IggyError } from "../../../protocol/errors.ts";
import {
  type ConsumerPlace,
  type GroupLags,
  groupHistoryOf,
  lagOf,
  moveOffsets,
  offsetsOf,
  partitionsOf,
  segmentsOf,
  type TopicPlace,
} from "../../../server/index.ts";
import type { Caller } from "../auth/access-tokens.ts";
import { jsonBody } from "../body.ts";
import { HttpTextError, jsonResponse } from "../errors.ts";
import { parseU32 } from "../identifiers.ts";
import { object, optional, u32 } from "../schemas/kinds.ts";
import type { HttpServices } from "../services.ts";
import { countOf, timeOf } from "./read-routes.ts";

/** Of one who is signed in. */
export interface ConsoleRequest {
  readonly request: Request;
  readonly query: URLSearchParams;
  readonly caller: Caller;
}

type Answer = (asked: ConsoleRequest) => Promise<Response>;

/** What a path answers, by method. */
export type ConsoleMethods = { readonly [Method in "GET" | "PUT"]?: Answer };

const bodyBytesMax = 1024 * 1024;
const numberText = t.String({ pattern: "^[0-9]{1,20}$" });
const numbersById = t.Record(t.String({ pattern: "^[0-9]{1,10}$" }), t.Union([numberText, t.Null()]));
const moveBody = object({
  stream: t.String(),
  topic: t.String(),
  group: t.String(),
  partitions: optional(t.Array(u32)),
  /** One form, since a body is read along one (http/json/values.ts): which fields go with which kind is checked here. */
  to: object({
    kind: t.String(),
    value: optional(numberText),
    values: optional(numbersById),
  }),
  dryRun: t.Boolean(),
  force: optional(t.Boolean()),
  expected: optional(numbersById),
});

interface TargetBody {
  readonly kind: string;
  readonly value?: string | null;
  readonly values?: Readonly<Record<string, string | null>> | null;
}

type MoveBody = { readonly [K in "stream" | "topic" | "group"]: string } & {
  readonly to: TargetBody;
  readonly dryRun: boolean;
} & { readonly [K in "partitions" | "force" | "expected"]?: MoveOffsets[K] | null };

const refusals = {
  members: {
    code: "group_has_members",
    reason: "The group has members, who may commit over it: stop them, or say `force`",
  },
  changed: { code: "offsets_changed", reason: "The stored offsets are not those that were expected any more" },
} as const;
const conflict = 409;
const microsPerMilli = 1000;
const dayMs = 24 * 3_600_000;
const pointsDefault = 300;

/** By the path behind `/ui/api/`. */
export function groupRoutes(services: HttpServices, lags: GroupLags): ReadonlyMap<string, ConsoleMethods> {
  const { context } = services;
  const parseMove = jsonBody(moveBody, Math.min(bodyBytesMax, services.config.maxRequestSizeBytes));

  const move: Answer = async ({ request, caller }) => {
    const { to, partitions, force, expected, ...body } = (await parseMove({ request })) as object as MoveBody;
    const moved = await moveOffsets(context, caller.session, {
      ...body,
      to: readTarget(to),
      ...(partitions == null ? {} : { partitions }),
      ...(force == null ? {} : { force }),
      ...(expected == null ? {} : { expected }),
    });
    if (!("reason" in moved)) return jsonResponse(moved);
    const { code, reason } = refusals[moved.reason];
    return jsonResponse({ id: conflict, code, reason, field: null, ...moved.would }, conflict);
  };

  return new Map<string, ConsoleMethods>([
    [
      "groups",
      { GET: async ({ query, caller }) => jsonResponse(await lags.list(caller.session, readGroupsQuery(query))) },
    ],
    [
      "lag",
      {
        GET: async ({ query, caller }) => {
          const place = { ...topicOf(query), group: required(query, "group") };
          return jsonResponse(await lagOf(context, caller.session, place));
        },
      },
    ],
    [
      "offsets",
      {
        GET: async ({ query, caller }) => {
          const after = readConsumer(query.get("after"));
          return jsonResponse(await offsetsOf(context, caller.session, topicOf(query), after));
        },
      },
    ],
    [
      "group-history",
      {
        GET: async ({ query, caller }) => {
          const place = { ...topicOf(query), group: required(query, "group") };
          const toMs = timeOf(query, "to") ?? context.clock.nowMicros() / microsPerMilli;
          const fromMs = timeOf(query, "from") ?? toMs - dayMs;
          const points = countOf(query, "points", historyLimits.points) ?? pointsDefault;
          return jsonResponse(groupHistoryOf(context, caller.session, place, { fromMs, toMs, points }));
        },
      },
    ],
    ["group-offsets", { PUT: move }],
    [
      "partitions",
      {
        GET: async ({ query, caller }) => {
          const first = readU32(query, "after", "0");
          return jsonResponse(await partitionsOf(context, caller.session, topicOf(query), first));
        },
      },
    ],
    [
      "segments",
      {
        GET: async ({ query, caller }) => {
          const partitionId = readU32(query, "partition");
          const after = query.has("after") ? readOffset(required(query, "after")) : -1;
          return jsonResponse(await segmentsOf(context, caller.session, topicOf(query), partitionId, after));
        },
      },
    ],
  ]);
}

/** Throws HttpTextError (422) for what is none. */
function readTarget({ kind, value, values }: TargetBody): MoveTarget {
  if (kind === "earliest" || kind === "latest") return { kind };
  if ((kind === "offset" || kind === "time") && value != null) return { kind, value };
  if (kind === "each" && values != null) return { kind, values };
  throw new HttpTextError(422, "Expected to: earliest, latest, offset or time with a value, or each with values");
}

/** Throws HttpTextError (422) for what is none. */
export function readGroupsQuery(query: URLSearchParams): GroupsQuery {
  const sort = query.get("sort") ?? "lag";
  const limit = readU32(query, "limit", String(groupsMax));
  if ((sort !== "lag" && sort !== "name") || limit < 1 || limit > groupsMax) {
    throw new HttpTextError(422, `Expected sort=lag or sort=name, and a limit from 1 to ${groupsMax}`);
  }
  const after = query.get("after");
  return { sort, q: query.get("q") ?? "", limit, ...(after === null ? {} : { after }) };
}

function topicOf(query: URLSearchParams): TopicPlace {
  return { stream: required(query, "stream"), topic: required(query, "topic") };
}

function required(query: URLSearchParams, name: string): string {
  const value = query.get(name);
  if (value === null || value === "") throw new HttpTextError(422, `Expected ${name} in the query`);
  return value;
}

function readU32(query: URLSearchParams, name: string, absent?: string): number {
  const number = parseU32(query.get(name) ?? absent ?? required(query, name));
  if (number === undefined) throw new HttpTextError(422, `Expected a number as ${name}`);
  return number;
}

function readOffset(text: string): number {
  if (!/^\d{1,20}$/.test(text)) throw new IggyError("InvalidOffset", [text]);
  return Number(text);
}

/** `consumer:7` or `group:7`. */
function readConsumer(text: string | null): ConsumerPlace | undefined {
  if (text === null) return undefined;
  const [, kind, id] = /^(consumer|group):(\d{1,10})$/.exec(text) ?? [];
  if (kind === undefined) throw new HttpTextError(422, "Expected `next` of the answer before as after");
  return { kind: kind as ConsumerPlace["kind"], id: Number(id) };
}
