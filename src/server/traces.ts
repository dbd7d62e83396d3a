// A span for each command that somebody gives but those of the data path (spec SB 8.7): names and attributes are those of the
// original, so that what reads its traces reads these.
import type { SpanAttributes } from "../observability/telemetry/telemetry.ts";
import type { CommandName } from "../protocol/codes.ts";
import { IggyError } from "../protocol/errors.ts";
import { snakeNameOf } from "../protocol/snake-name.ts";
import type { ServerContext } from "./context.ts";
import type { Session } from "./session.ts";

/** So frequent that spans of them would cost more than they. The original has none of these either. */
const untraced: ReadonlySet<string> = new Set<CommandName>([
  "ping",
  "pollMessages",
  "sendMessages",
  "getConsumerOffset",
  "storeConsumerOffset",
]);

/** What `work` returns, in a span where spans are made. `request`: as the handler gets it. */
export function traced<T>(context: ServerContext, session: Session, name: string, request: unknown, work: () => T): T {
  const { spans, hidesNames } = context;
  if (spans === undefined || untraced.has(name)) return work();
  return spans.trace(`trace_${snakeNameOf(name)}`, attributesOf(session, request, hidesNames), work, describe);
}

/** Without what its text may hold: names. */
function describe(error: unknown): string {
  if (error instanceof IggyError) return `${error.errorName} (${error.code})`;
  return error instanceof Error ? error.name : "no error";
}

const targets = {
  stream: "iggy_stream_id",
  topic: "iggy_topic_id",
  group: "iggy_group_id",
  user: "iggy_target_user_id",
};

/** Who asks, and for what, as it was named; names are left out where metadata is encrypted on the disk. */
function attributesOf(session: Session, request: unknown, hidesNames: boolean): SpanAttributes {
  const attributes: Record<string, string | number> = {
    iggy_client_id: session.clientId,
    "network.transport": session.transport,
  };
  if (session.user !== undefined) attributes.iggy_user_id = session.user.id;
  if (typeof request !== "object" || request === null) return attributes;
  for (const [key, name] of Object.entries(targets)) {
    const value = idOf((request as Readonly<Record<string, unknown>>)[key], hidesNames);
    if (value !== undefined) attributes[name] = value;
  }
  return attributes;
}

/** Of an identifier (protocol/identifier.ts); undefined for anything else. */
function idOf(identifier: unknown, hidesNames: boolean): string | number | undefined {
  if (typeof identifier !== "object" || identifier === null || !("value" in identifier)) return undefined;
  const { value } = identifier;
  if (typeof value === "number") return value;
  return typeof value === "string" && !hidesNames ? value : undefined;
}
