/**
 * Iggy's log of commands → the events of our metadata. A command names things as its client did, by number or by name, so a
 * state is carried along in which they are looked up; it also shows at once whether an event fits. Values that the original
 * left open are settled here: server defaults (spec SB 13, traps 12 and 13), times of expiry.
 *
 * A deletion of something that is not there has no effect in the original's replay, and none here.
 */
import {
  apply,
  type Compression,
  createState,
  findGroup,
  findStream,
  findTopic,
  findUser,
  type MetadataEvent,
  type MetadataState,
  type Stream,
  type Topic,
  type TopicDefaults,
  type User,
  type UserStatus,
} from "../metadata/index.ts";
import { assertNever } from "../platform/assert.ts";
import { type Identifier, numericId } from "../protocol/identifier.ts";
import { u64Max } from "../protocol/limits.ts";
import type { IggyEntry } from "./iggy-state-log.ts";
import { messageOf, TakeoverError } from "./takeover-error.ts";

export interface EventsOptions {
  /** What "server default" means; stored in each topic that asked for it. */
  readonly defaults: Pick<TopicDefaults, "messageExpiryMicros" | "maxTopicSizeBytes">;
  /** Tokens that expired by then are left out. */
  readonly nowMicros: number;
}

export interface TranslatedLog {
  readonly events: readonly MetadataEvent[];
  readonly entriesCount: number;
  /** After all events. */
  readonly state: MetadataState;
  readonly expiredTokensCount: number;
}

/** All events of a log, each of which fits the state before it. Throws `TakeoverError`, also what reading an entry throws. */
export function toEvents(entries: Iterable<IggyEntry>, options: EventsOptions): TranslatedLog {
  const state = createState();
  const events: MetadataEvent[] = [];
  let entriesCount = 0;
  let expiredTokensCount = 0;
  for (const entry of entries) {
    entriesCount++;
    const event = eventOf(state, entry, options);
    if (event === "expired") expiredTokensCount++;
    if (event === "expired" || event === undefined) continue;
    try {
      apply(state, event);
    } catch (cause) {
      throw new TakeoverError(entry, `its ${entry.command.kind} does not fit the entries before: ${messageOf(cause)}`, {
        cause,
      });
    }
    events.push(event);
  }
  return { events, entriesCount, state, expiredTokensCount };
}

/** Undefined: the entry changes nothing. */
function eventOf(
  state: MetadataState,
  entry: IggyEntry,
  options: EventsOptions,
): MetadataEvent | "expired" | undefined {
  const { command, timestampMicros } = entry;
  const find = new Finder(state, entry);
  switch (command.kind) {
    case "createStream":
      return {
        kind: "streamCreated",
        streamId: command.id,
        name: command.request.name,
        createdAtMicros: timestampMicros,
      };
    case "updateStream":
      return { kind: "streamUpdated", streamId: find.stream(command.request).id, name: command.request.name };
    case "deleteStream": {
      const stream = findStream(state, command.request.stream);
      return stream && { kind: "streamDeleted", streamId: stream.id };
    }
    case "createTopic":
      return {
        kind: "topicCreated",
        streamId: find.stream(command.request).id,
        topicId: command.id,
        createdAtMicros: timestampMicros,
        partitionsCount: command.request.partitionsCount,
        ...settingsOf(command.request, entry, options),
      };
    case "updateTopic":
      return {
        kind: "topicUpdated",
        ...find.topicKey(command.request),
        ...settingsOf(command.request, entry, options),
      };
    case "deleteTopic": {
      const key = find.topicKeyIfThere(command.request);
      return key && { kind: "topicDeleted", ...key };
    }
    case "createPartitions":
      return {
        kind: "partitionsCreated",
        ...find.topicKey(command.request),
        count: command.request.partitionsCount,
        createdAtMicros: timestampMicros,
      };
    case "deletePartitions": {
      const { topic } = find.topic(command.request);
      if (topic.partitions.length === 0) return undefined;
      return {
        kind: "partitionsDeleted",
        ...find.topicKey(command.request),
        count: command.request.partitionsCount,
      };
    }
    case "createConsumerGroup":
      return {
        kind: "groupCreated",
        ...find.topicKey(command.request),
        groupId: command.id,
        name: command.request.name,
      };
    case "deleteConsumerGroup": {
      const group = findGroup(find.topic(command.request).topic, command.request.group);
      return group && { kind: "groupDeleted", ...find.topicKey(command.request), groupId: group.id };
    }
    case "createUser": {
      const { username, password, statusCode, permissions } = command.request;
      return {
        kind: "userCreated",
        userId: command.id,
        name: username,
        passwordHash: password,
        status: statusOf(statusCode, entry),
        createdAtMicros: timestampMicros,
        permissions: permissions ?? null,
      };
    }
    case "updateUser": {
      const { user, username, statusCode } = command.request;
      return {
        kind: "userUpdated",
        userId: find.user(user).id,
        ...(username === undefined ? {} : { name: username }),
        ...(statusCode === undefined ? {} : { status: statusOf(statusCode, entry) }),
      };
    }
    case "deleteUser": {
      const user = findUser(state, command.request.user);
      return user && { kind: "userDeleted", userId: user.id };
    }
    case "changePassword":
      return {
        kind: "passwordChanged",
        userId: find.user(command.request.user).id,
        passwordHash: command.request.newPassword,
      };
    case "updatePermissions":
      return {
        kind: "permissionsUpdated",
        userId: find.user(command.request.user).id,
        permissions: command.request.permissions ?? null,
      };
    case "createPersonalAccessToken": {
      const user = find.user(numericId(entry.userId));
      const expiryAtMicros = expiryAt(timestampMicros, command.request.expiryMicros);
      if (expiryAtMicros !== 0n && expiryAtMicros <= BigInt(options.nowMicros)) return "expired";
      const { name } = command.request;
      return { kind: "tokenCreated", userId: user.id, name, tokenHash: command.tokenHash, expiryAtMicros };
    }
    case "deletePersonalAccessToken": {
      // Gone already if it expired: the original's cleaner leaves no entry.
      const user = find.user(numericId(entry.userId));
      const { name } = command.request;
      return user.tokensByName.has(name) ? { kind: "tokenDeleted", userId: user.id, name } : undefined;
    }
    case "purgeStream":
    case "purgeTopic":
    case "deleteSegments":
      return undefined; // they changed only files, which are as they left them
    default:
      return assertNever(command, "every command of a log is known");
  }
}

type StreamReference = { readonly stream: Identifier };
type TopicReference = { readonly stream: Identifier; readonly topic: Identifier };
type TopicKey = { readonly streamId: number; readonly topicId: number };

/** Looks up what an entry needs; throws `TakeoverError` if it is not there. */
class Finder {
  readonly #state: MetadataState;
  readonly #entry: IggyEntry;

  constructor(state: MetadataState, entry: IggyEntry) {
    this.#state = state;
    this.#entry = entry;
  }

  stream({ stream }: StreamReference): Stream {
    return findStream(this.#state, stream) ?? this.#missing("stream", stream);
  }

  topic(reference: TopicReference): { stream: Stream; topic: Topic } {
    const stream = this.stream(reference);
    return { stream, topic: findTopic(stream, reference.topic) ?? this.#missing("topic", reference.topic) };
  }

  topicKey(reference: TopicReference): TopicKey {
    const { stream, topic } = this.topic(reference);
    return { streamId: stream.id, topicId: topic.id };
  }

  topicKeyIfThere(reference: TopicReference): TopicKey | undefined {
    const stream = this.stream(reference);
    const topic = findTopic(stream, reference.topic);
    return topic && { streamId: stream.id, topicId: topic.id };
  }

  user(user: Identifier): User {
    return findUser(this.#state, user) ?? this.#missing("user", user);
  }

  #missing(what: string, { value }: Identifier): never {
    const reason = `its ${this.#entry.command.kind} names the ${what} ${JSON.stringify(value)}, which no entry before made`;
    throw new TakeoverError(this.#entry, reason);
  }
}

interface AskedSettings {
  readonly name: string;
  readonly compressionCode: number;
  readonly messageExpiryMicros: bigint;
  readonly maxTopicSizeBytes: bigint;
  readonly replicationFactor: number;
}

function settingsOf(asked: AskedSettings, entry: IggyEntry, { defaults }: EventsOptions) {
  return {
    name: asked.name,
    compression: compressionOf(asked.compressionCode, entry),
    messageExpiryMicros: asked.messageExpiryMicros || defaults.messageExpiryMicros,
    maxTopicSizeBytes: asked.maxTopicSizeBytes || defaults.maxTopicSizeBytes,
    replicationFactor: asked.replicationFactor || 1,
  };
}

function compressionOf(code: number, entry: IggyEntry): Compression {
  if (code === 1 || code === 2) return code;
  throw new TakeoverError(entry, `it has the unknown compression ${code}`);
}

function statusOf(code: number, entry: IggyEntry): UserStatus {
  if (code === 1 || code === 2) return code;
  throw new TakeoverError(entry, `it has the unknown user status ${code}`);
}

/** 0: never. A sum beyond the wire's u64 stays at its end. */
function expiryAt(createdAtMicros: number, expiryMicros: bigint): bigint {
  if (expiryMicros === 0n || expiryMicros === u64Max) return 0n;
  const at = BigInt(createdAtMicros) + expiryMicros;
  return at > u64Max ? u64Max : at;
}
