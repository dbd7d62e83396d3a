// Who changed what, in the log: a line for each command that was carried out and changes more than messages and offsets.
// Its target is `audit`, so that a filter can choose it (`warn,audit=info`). Never a secret: where metadata is encrypted on the
// disk, names are none of the log's business either.
import type { LogFields } from "../observability/log.ts";
import type { CommandName } from "../protocol/codes.ts";
import type { Identifier } from "../protocol/identifier.ts";
import { userStatusOf } from "../protocol/records/enumerations.ts";
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
      ...(statusCode === undefined ? {} : { status: userStatusOf(statusCode) }),
    }),
  ],
  deleteUser: ["deleted a user", ({ user }) => ({ user: user.value })],
  updatePermissions: ["changed permissions", ({ user }) => ({ user: user.value })],
  changePassword: ["changed a password", ({ user }) => ({ user: user.value })],
  createPersonalAccessToken: ["created an access token", ({ name }) => ({ token: name })],
  deletePersonalAccessToken: ["deleted an access token", ({ name }) => ({ token: name })],
};

function topicOf({ stream, topic }: { readonly stream: Identifier; readonly topic: Identifier }): LogFields {
  return { stream: stream.value, topic: topic.value };
}

/** Begins before the command, since it may delete its own user; call the result when the command is done. */
export type Audit<Request> = (context: ServerContext, session: Session, request: Request) => () => void;

/** Undefined for a command that is not noted. */
export function auditOf<N extends CommandName>(name: N): Audit<RequestOf<N>> | undefined {
  const entry = described[name];
  if (entry === undefined) return undefined;
  const [message, fieldsOf] = entry;
  return (context, session, request) => {
    const actor = actorOf(context, session);
    const { auditLog, hidesNames } = context;
    return () => {
      const fields = fieldsOf(request);
      auditLog.info(message, { ...(hidesNames ? withoutNames(fields) : fields), ...actor });
    };
  };
}

/** Every text is a name, or may be one. */
function withoutNames(fields: LogFields): LogFields {
  return Object.fromEntries(
    Object.entries(fields).map(([key, value]) => [key, typeof value === "string" ? hiddenName : value]),
  );
}

/** Who asks, and from where. A session of HTTP has no client id, and its address only while it logs in. */
export function actorOf({ shard, hidesNames }: ServerContext, session: Session): LogFields {
  const { clientId, address, transport } = session;
  const name = hidesNames ? undefined : userOf(shard, session)?.name;
  return {
    by: name ?? session.user?.id ?? "nobody",
    ...(clientId === 0 ? {} : { client: clientId }),
    ...(address === "" ? {} : { address }),
    transport,
  };
}
