// What can be asked of the single writer of metadata, and the events that carry it out.
import {
  type GroupTarget,
  type MetadataEvent,
  type MetadataLimits,
  type MetadataState,
  type NewToken,
  type NewUser,
  nextRemovalId,
  type PartitionsRequest,
  planChangePassword,
  planClientGone,
  planCompleteRevocation,
  planCreateGroup,
  planCreatePartitions,
  planCreateStream,
  planCreateToken,
  planCreateTopic,
  planCreateUser,
  planDeleteGroup,
  planDeletePartitions,
  planDeleteStream,
  planDeleteToken,
  planDeleteTopic,
  planDeleteUser,
  planExpireTokens,
  planJoinGroup,
  planLeaveGroup,
  planPurgeStream,
  planPurgeTopic,
  planRemovalsFinished,
  planTimedOutRevocations,
  planUpdatePermissions,
  planUpdateStream,
  planUpdateTopic,
  planUpdateUser,
  type RevocationTarget,
  requireUser,
  requireWithinLimits,
  type SettledReason,
  type StreamTarget,
  type TokenOwner,
  type TopicChange,
  type TopicDefaults,
  type TopicSettings,
  type TopicTarget,
  type UserChange,
  type UserTarget,
} from "../metadata/index.ts";
import { assertNever } from "../platform/assert.ts";
import { IggyError } from "../protocol/errors.ts";
import type { Permissions } from "../protocol/records/permissions.ts";

/** The user that was verified: its password may have been changed since. */
interface PasswordChange {
  readonly userId: number;
  readonly verifiedHash: string;
  readonly passwordHash: string;
  /** The HTTP access token that asked for it, if one of the same user did. */
  readonly keptAccessTokenId: string | undefined;
}

/** A command that changes metadata, decoded and allowed. */
export type ControlCommand =
  | { readonly kind: "createStream"; readonly request: { readonly name: string } }
  | { readonly kind: "updateStream"; readonly request: StreamTarget & { readonly name: string } }
  | { readonly kind: "deleteStream"; readonly request: StreamTarget }
  | { readonly kind: "purgeStream"; readonly request: StreamTarget }
  | {
      readonly kind: "createTopic";
      readonly request: StreamTarget & TopicSettings & { readonly partitionsCount: number };
    }
  | { readonly kind: "updateTopic"; readonly request: TopicTarget & TopicChange }
  | { readonly kind: "deleteTopic"; readonly request: TopicTarget }
  | { readonly kind: "purgeTopic"; readonly request: TopicTarget }
  | { readonly kind: "createPartitions"; readonly request: PartitionsRequest }
  | { readonly kind: "deletePartitions"; readonly request: PartitionsRequest }
  | { readonly kind: "createUser"; readonly request: NewUser }
  | { readonly kind: "updateUser"; readonly request: UserTarget & UserChange }
  | { readonly kind: "deleteUser"; readonly request: UserTarget }
  | {
      readonly kind: "updatePermissions";
      readonly request: UserTarget & { readonly permissions: Permissions | null };
    }
  | { readonly kind: "changePassword"; readonly request: PasswordChange }
  | { readonly kind: "createToken"; readonly request: NewToken }
  | { readonly kind: "deleteToken"; readonly request: TokenOwner }
  /** The cleaner's tick. */
  | { readonly kind: "expireTokens" }
  | { readonly kind: "createGroup"; readonly request: TopicTarget & { readonly name: string } }
  | { readonly kind: "deleteGroup"; readonly request: GroupTarget }
  | { readonly kind: "joinGroup"; readonly request: GroupTarget; readonly clientId: number }
  | { readonly kind: "leaveGroup"; readonly request: GroupTarget; readonly clientId: number }
  /** A client disconnected or became stale: it leaves all of its groups. */
  | { readonly kind: "clientGone"; readonly clientId: number }
  /** From the owner of the partition: its old member has committed what it polled. */
  | { readonly kind: "completeRevocation"; readonly target: RevocationTarget; readonly reason: SettledReason }
  /** Tries again what could not be removed, and forgets what is gone. */
  | { readonly kind: "finishRemovals" }
  /** The tick of `consumer_group.rebalancing_check_interval`. */
  | { readonly kind: "timeOutRevocations"; readonly timeoutMicros: number };

export type ControlKind = ControlCommand["kind"];

type Event<K extends MetadataEvent["kind"]> = Extract<MetadataEvent, { readonly kind: K }>;

interface ControlEvents {
  createStream: Event<"streamCreated">;
  createTopic: Event<"topicCreated">;
  createUser: Event<"userCreated">;
  createGroup: Event<"groupCreated">;
}

/** The event with which a command ends. Undefined: nothing had to be done. */
export type EventOf<K extends ControlKind> = K extends keyof ControlEvents
  ? ControlEvents[K]
  : MetadataEvent | undefined;

export interface PlanSettings {
  readonly nowMicros: number;
  /** Of a clock that never steps. */
  readonly elapsedMicros: number;
  readonly topicDefaults: TopicDefaults;
  readonly tokensPerUserMax: number;
  /** Undefined: no more than what can exist. */
  readonly limits?: MetadataLimits | undefined;
  /** 96 random bits as 24 hex digits. */
  readonly makeLogId: () => string;
  /** Whether nothing lies in the place of a stream, or of a topic, whose number is free. */
  readonly isStreamIdUsable: (streamId: number) => boolean;
  readonly isTopicIdUsable: (streamId: number, topicId: number) => boolean;
  /** Numbers of deletions and purges whose files are gone. */
  readonly finishedRemovals: Iterable<number>;
}

/** The events of a command, of which each fits also when those before it are applied. Throws the documented IggyError. */
export function planControl(
  state: MetadataState,
  command: ControlCommand,
  settings: PlanSettings,
): readonly MetadataEvent[] {
  const events = planWithoutLimits(state, command, settings);
  const { limits } = settings;
  // Last, so that what the protocol documents is answered first.
  if (limits !== undefined) for (const event of events) requireWithinLimits(state, event, limits);
  return events;
}

function planWithoutLimits(
  state: MetadataState,
  command: ControlCommand,
  settings: PlanSettings,
): readonly MetadataEvent[] {
  const { nowMicros, elapsedMicros, topicDefaults, tokensPerUserMax, makeLogId } = settings;
  const makes = () => ({ logBase: makeLogId() });
  const ends = { removalId: nextRemovalId(state) };
  switch (command.kind) {
    case "createStream":
      return [planCreateStream(state, command.request, nowMicros, { isUsable: settings.isStreamIdUsable })];
    case "updateStream":
      return [planUpdateStream(state, command.request)];
    case "deleteStream":
      return [planDeleteStream(state, command.request, ends)];
    case "purgeStream":
      return [planPurgeStream(state, command.request, { ...makes(), ...ends })];
    case "createTopic":
      return [
        planCreateTopic(state, command.request, nowMicros, topicDefaults, {
          isUsable: settings.isTopicIdUsable,
          ...makes(),
        }),
      ];
    case "updateTopic":
      return [planUpdateTopic(state, command.request, topicDefaults)];
    case "deleteTopic":
      return [planDeleteTopic(state, command.request, ends)];
    case "purgeTopic":
      return [planPurgeTopic(state, command.request, { ...makes(), ...ends })];
    case "createPartitions":
      return [planCreatePartitions(state, command.request, nowMicros, makes())];
    case "deletePartitions":
      return [planDeletePartitions(state, command.request, ends)];
    case "createUser":
      return [planCreateUser(state, command.request, nowMicros)];
    case "updateUser":
      return [planUpdateUser(state, command.request)];
    case "deleteUser":
      return [planDeleteUser(state, command.request)];
    case "updatePermissions":
      return [planUpdatePermissions(state, command.request)];
    case "changePassword":
      return [planVerifiedPasswordChange(state, command.request)];
    case "createToken":
      return [planCreateToken(state, command.request, nowMicros, tokensPerUserMax)];
    case "deleteToken":
      return [planDeleteToken(state, command.request)];
    case "expireTokens":
      return present(planExpireTokens(state, nowMicros));
    case "createGroup":
      return [planCreateGroup(state, command.request, { logId: makeLogId() })];
    case "deleteGroup":
      return [planDeleteGroup(state, command.request)];
    case "joinGroup":
      // Whoever disconnects leaves its groups by "clientGone", which comes behind its joins: members are never gone.
      return present(planJoinGroup(state, command.request, command.clientId, () => true, elapsedMicros));
    case "leaveGroup":
      return [planLeaveGroup(state, command.request, command.clientId)];
    case "clientGone":
      return planClientGone(state, command.clientId);
    case "completeRevocation":
      return present(planCompleteRevocation(state, command.target, command.reason));
    case "finishRemovals":
      return planRemovalsFinished(state, settings.finishedRemovals);
    case "timeOutRevocations":
      return planTimedOutRevocations(state, elapsedMicros, command.timeoutMicros);
    default:
      return assertNever(command, "a control command is of a known kind");
  }
}

function planVerifiedPasswordChange(state: MetadataState, request: PasswordChange): MetadataEvent {
  const identifier = { kind: "numeric", value: request.userId } as const;
  const user = requireUser(state, identifier);
  if (user.passwordHash !== request.verifiedHash) throw new IggyError("InvalidCredentials");
  const { passwordHash, keptAccessTokenId } = request;
  return planChangePassword(state, { user: identifier, passwordHash, keptAccessTokenId });
}

function present<T>(event: T | undefined): T[] {
  return event === undefined ? [] : [event];
}
