// Who changed what, in the log: a line for each command that changes more than messages and offsets, whether it was carried out
// or refused, and one for each other command for which a right was missing: with user, right and target. The lines' own target
// is `audit`, so that a filter can choose it (`warn,audit=info`). Never a secret: where metadata is encrypted on the disk, names
// are none of the log's business either.
import { MissingRight } from "../metadata/index.ts";
import type { LogFields } from "../observability/log.ts";
import { type CommandName, commandNameOf } from "../protocol/codes.ts";
import type { MoveOffsets } from "../protocol/console/groups.ts";
import { type ErrorName, IggyError } from "../protocol/errors.ts";
import { extensionNameOf } from "../protocol/extensions/codes.ts";
import type { Identifier } from "../protocol/identifier.ts";
import type { Operation } from "../protocol/permissions.ts";
import { UserStatusCode } from "../protocol/records/enumerations.ts";
import type { RequestOf } from "./command-values.ts";
import type { ServerContext } from "./context.ts";
import { userOf } from "./rights.ts";
import type { Session } from "./session.ts";

type Described = {
  readonly [N in CommandName]?: readonly [message: string, fields: (request: RequestOf<N>) => LogFields];
};

const hiddenName = "******";

/** Objects are named as the client named them. */
const described: Described = {
  createStream: ["created a stream", ({ name }) => ({ stream: name })],
  updateStream: ["renamed a stream", ({ stream, name }) => ({ stream: stream.value, name })],
  deleteStream: ["deleted a stream", ({ stream }) => ({ stream: stream.value })],
  purgeStream: ["purged a stream", ({ stream }) => ({ stream: stream.value })],
  createTopic: [
    "created a topic",
    ({ stream, name, partitionsCount }) => ({ stream: stream.value, topic: name, partitions: partitionsCount }),
  ],
  updateTopic: ["updated a topic", (request) => ({ ...topicOf(request), name: request.name })],
  deleteTopic: ["deleted a topic", topicOf],
  purgeTopic: ["purged a topic", topicOf],
  createPartitions: ["created partitions", (request) => ({ ...topicOf(request), count: request.partitionsCount })],
  deletePartitions: ["deleted partitions", (request) => ({ ...topicOf(request), count: request.partitionsCount })],
  deleteSegments: [
    "deleted segments",
    (request) => ({ ...topicOf(request), partition: request.partitionId, count: request.segmentsCount }),
  ],
  createConsumerGroup: ["created a consumer group", (request) => ({ ...topicOf(request), group: request.name })],
  deleteConsumerGroup: ["deleted a consumer group", (request) => ({ ...topicOf(request), group: request.group.value })],
  createUser: ["created a user", ({ username }) => ({ user: username })],
  updateUser: [
    "updated a user",
    ({ user, username, statusCode }) => ({
      user: user.value,
      ...(username === undefined ? {} : { name: username }),
      ...(statusCode === undefined ? {} : { status: statusText(statusCode) }),
    }),
  ],
  deleteUser: ["deleted a user", ({ user }) => ({ user: user.value })],
  updatePermissions: ["changed permissions", ({ user }) => ({ user: user.value })],
  changePassword: ["changed a password", ({ user }) => ({ user: user.value })],
  createPersonalAccessToken: ["created an access token", ({ name }) => ({ token: name })],
  deletePersonalAccessToken: ["deleted an access token", ({ name }) => ({ token: name })],
};

/** Also of a number that is refused. */
function statusText(code: number): string | number {
  if (code === UserStatusCode.active) return "active";
  return code === UserStatusCode.inactive ? "inactive" : code;
}

function topicOf({ stream, topic }: { readonly stream: Identifier; readonly topic: Identifier }): LogFields {
  return { stream: stream.value, topic: topic.value };
}

/** What a command asks for, where that is not an operation of its own name; `own`: no right but a login. */
const rights: { readonly [N in CommandName]?: Operation | "own" } = {
  createConsumerGroup: "consumerGroup",
  deleteConsumerGroup: "consumerGroup",
  createPersonalAccessToken: "own",
  deletePersonalAccessToken: "own",
};

/** What somebody may have tried who is not allowed to. All else that is refused is everyday: a name that is taken. */
const suspicious: ReadonlySet<ErrorName> = new Set([
  "Unauthorized",
  "InvalidCredentials",
  "CannotDeleteUser",
  "CannotChangePermissions",
]);

/** Begins before the command, since it may delete its own user. */
export type Audit<Request> = (context: ServerContext, session: Session, request: Request) => AuditEntry;

/** Call one of them when the command is over. */
export interface AuditEntry {
  readonly done: () => void;
  readonly refused: (thrown: unknown) => void;
}

/** Undefined for a command that is not noted. */
export function auditOf<N extends CommandName>(name: N): Audit<RequestOf<N>> | undefined {
  const entry = described[name];
  if (entry === undefined) return undefined;
  const [message, fieldsOf] = entry;
  return (context, session, request) => {
    const actor = actorOf(context, session);
    const { auditLog, hidesNames } = context;
    const right = rights[name] ?? name;
    const target = () => ({ ...(hidesNames ? withoutNames(fieldsOf(request)) : fieldsOf(request)), right });
    return {
      done: () => auditLog.info(message, { ...target(), ...actor }),
      refused: (thrown) => writeRefusal(context, session, { command: name, target, actor, thrown }),
    };
  };
}

/** The console moves what a group has stored; of a look at what that would be only a missing right is told. */
export function auditedMove(context: ServerContext, session: Session, request: MoveOffsets): AuditEntry {
  const { stream, topic, group, to, partitions = "all", dryRun, force = false } = request;
  const actor = actorOf(context, session);
  const names = context.hidesNames ? withoutNames({ stream, topic, group }) : { stream, topic, group };
  const how = { partitions, to: to.kind, ...(force ? { force } : {}) };
  const target = () => ({ ...names, ...how, right: "consumerGroup", via: "console" });
  return {
    done: () => context.auditLog.info("moved the offsets of a consumer group", { ...target(), ...actor }),
    refused: (thrown) => {
      if (dryRun) tellRefusedView(context, session, "moveGroupOffsets", thrown);
      else writeRefusal(context, session, { command: "moveGroupOffsets", target, actor, thrown });
    },
  };
}

/** Tells of a request that was refused for want of a right, where the command itself does not. */
export function tellRefused(context: ServerContext, session: Session, code: number, thrown: unknown): void {
  if (!(thrown instanceof IggyError) || !(thrown.cause instanceof MissingRight)) return;
  const name = commandNameOf(code);
  if (name !== undefined && described[name] !== undefined) return;
  const command = name ?? extensionNameOf(code);
  if (command === undefined) return;
  tellMissingRight(context, session, command, thrown.cause, thrown);
}

/** The same for what is no command, or one that was refused before it was read: `what` is its name in the log. */
export function tellRefusedView(context: ServerContext, session: Session, what: string, thrown: unknown): void {
  if (thrown instanceof IggyError && thrown.cause instanceof MissingRight) {
    tellMissingRight(context, session, what, thrown.cause, thrown);
  }
}

function tellMissingRight(
  context: ServerContext,
  session: Session,
  command: string,
  missing: MissingRight,
  thrown: unknown,
): void {
  const { operation: right, streamId, topicId } = missing;
  const target = () => ({
    ...(streamId === undefined ? {} : { stream: streamId }),
    ...(topicId === undefined ? {} : { topic: topicId }),
    right,
  });
  writeRefusal(context, session, { command, target, actor: actorOf(context, session), thrown });
}

interface RefusedRequest {
  /** Its name, or that of something else that was asked for. */
  readonly command: string;
  readonly target: () => LogFields;
  readonly actor: LogFields;
  readonly thrown: unknown;
}

function writeRefusal(
  context: ServerContext,
  session: Session,
  { command, target, actor, thrown }: RefusedRequest,
): void {
  if (!(thrown instanceof IggyError)) return; // a fault, which has a line of its own
  const { errorName: error } = thrown;
  const key = `${session.user?.id ?? session.address} ${command} ${error}`;
  const leftOut = context.refusals.tell(key, performance.now());
  if (leftOut === undefined) return;
  const fields = { command, ...target(), error, ...(leftOut === 0 ? {} : { leftOut }), ...actor };
  context.auditLog[suspicious.has(error) ? "warn" : "info"]("refused a request", fields);
}

/** An access token was exchanged for a new one. */
export function tellRefresh({ auditLog, shard, hidesNames }: ServerContext, userId: number, address: string): void {
  const name = hidesNames ? undefined : shard.state.users.byId.get(userId)?.name;
  auditLog.info("refreshed an access token", { by: name ?? userId, ...(address === "" ? {} : { address }) });
}

/** A session or an access token has ended by the wish of its user. */
export function tellLogout(context: ServerContext, session: Session): void {
  context.auditLog.info("logged out", actorOf(context, session));
}

/** Every text is a name, or may be one. */
function withoutNames(fields: LogFields): LogFields {
  return Object.fromEntries(
    Object.entries(fields).map(([key, value]) => [key, typeof value === "string" ? hiddenName : value]),
  );
}

/** Who asks, and from where. A session of HTTP has no client id, and its address only while it logs in. */
export function actorOf({ shard, hidesNames }: ServerContext, session: Session): LogFields {
  const { clientId, address, transport, isOfConsole } = session;
  const name = hidesNames ? undefined : userOf(shard, session)?.name;
  return {
    by: name ?? session.user?.id ?? "nobody",
    ...(clientId === 0 ? {} : { client: clientId }),
    ...(address === "" ? {} : { address }),
    transport: isOfConsole ? "console" : transport,
  };
}
