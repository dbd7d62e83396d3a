// The way in for a transport whose requests are no bytes: the same handlers as dispatch, with typed requests and replies, so
// that permissions, validation and errors exist once.
import { requireGroup, requireTopic, type UserLogin } from "../metadata/index.ts";
import { CommandCode, type CommandName } from "../protocol/codes.ts";
import { IggyError, toIggyError } from "../protocol/errors.ts";
import type { Identifier } from "../protocol/identifier.ts";
import { tellRefused } from "./audit.ts";
import { commandTable } from "./command-table.ts";
import type { ReplyValueOf, RequestOf } from "./command-values.ts";
import type { ServerContext } from "./context.ts";
import type { PollReply } from "./reply.ts";
import { requireLogin } from "./rights.ts";
import { createSession, type Session } from "./session.ts";
import { traced } from "./traces.ts";

/** A poll is answered with places in files, everything else with the value of its reply codec. */
export type ExecutedReply<N extends CommandName> = N extends "pollMessages" ? PollReply : ReplyValueOf<N>;

/**
 * Carries out one command after the login check; undefined is a missing object, or an empty reply. Rejects with an IggyError,
 * or with whatever a bug threw. The caller vouches for what a codec would have checked: numbers and sizes of names that
 * fit their fields.
 */
export async function execute<N extends CommandName>(
  context: ServerContext,
  session: Session,
  name: N,
  request: RequestOf<N>,
): Promise<ExecutedReply<N> | undefined> {
  const command = commandTable.get(CommandCode[name]);
  if (command === undefined) throw new IggyError("InvalidCommand");
  if (command.needsLogin) requireLogin(session);
  return measured(context, name, async () => {
    try {
      const work = () => command.handle(context, session, request);
      return (await traced(context, session, name, request, work)) as ExecutedReply<N>;
    } catch (error) {
      context.shard.statistics.failed(toIggyError(error).errorName);
      tellRefused(context, session, CommandCode[name], error);
      throw error;
    }
  });
}

/** Notes how long a command took, whatever came of it. */
export async function measured<T>({ shard }: ServerContext, name: CommandName, work: () => Promise<T>): Promise<T> {
  const startedMs = performance.now();
  shard.pulse.beganCommand(CommandCode[name]);
  try {
    return await work();
  } finally {
    shard.statistics.answered(CommandCode[name], performance.now() - startedMs);
  }
}

/** Why a lookup below a topic found nothing: throws 1009, 2010, or 5000 where a group is named; returns if all is there. */
export function requireTarget(
  { shard }: ServerContext,
  target: { readonly stream: Identifier; readonly topic: Identifier; readonly group?: Identifier },
): void {
  const { stream, topic, group } = target;
  if (group === undefined) requireTopic(shard.state, stream, topic);
  else requireGroup(shard.state, { stream, topic, group });
}

/** A session of a transport without connections: in no list of clients, without a number (spec HA 2.1). */
export function createHttpSession(address: string, user: UserLogin | undefined): Session {
  return createSession({
    clientId: 0,
    transport: "http",
    address,
    user,
    heartbeatMicros: 0,
    isRecordGone: false,
    isLoginOver: false,
    hasJoinedGroups: false,
    groupTurns: new Map(),
    moves: 0,
    protocol: "0.8",
    sessionNumber: 0,
    lastChange: undefined,
  });
}
