// The way in for requests of 0.9: one more codec in front of the handlers of 0.8 (spec P9 4 to 7).
import { type Codec, decode, encode } from "../../protocol/codec.ts";
import { CommandCode } from "../../protocol/codes.ts";
import { IggyError } from "../../protocol/errors.ts";
import { codecsOf09 } from "../../protocol/v09/codecs.ts";
import { isClientZero, isSessionZero } from "../../protocol/v09/headers.ts";
import type { CommandName09 } from "../../protocol/v09/operations.ts";
import type { Command } from "../command.ts";
import { commandTable } from "../command-table.ts";
import type { ServerContext } from "../context.ts";
import { isLongRequest, requireBeforehand } from "../dispatch.ts";
import { emptyReply, type PollReply, type Reply } from "../reply.ts";
import type { Session } from "../session.ts";
import { traced } from "../traces.ts";
import { Eviction } from "./eviction.ts";
import type { Exchange09 } from "./exchange.ts";
import { requireIntact } from "./intact.ts";
import { newCommands09 } from "./new-commands.ts";
import { register } from "./register.ts";
import { once } from "./repeats.ts";
import { changesMetadata } from "./verdicts.ts";

/**
 * Carries out one request: the payload of its reply, without a result section. Throws or rejects with an IggyError, an
 * `Eviction`, or whatever a bug threw.
 */
export function dispatch09(
  context: ServerContext,
  session: Session,
  exchange: Exchange09,
  body: Uint8Array,
): Reply | Promise<Reply> {
  const { header, request, code } = exchange;
  if (request.kind === "evict") throw new Eviction(request.reason);
  if (request.kind === "refuse") throw new IggyError(request.error);
  if (isClientZero(header)) throw new IggyError("InvalidCommand");
  requireIntact(header, body);
  context.shard.pulse.beganCommand(code);
  if (request.kind === "register") return register(context, session, body);
  const { name } = request;
  requireSession(session, exchange, name);
  // Nobody is logged out by it (spec P9 4.9).
  if (name === "logoutUser" && session.user === undefined) return emptyReply;
  if (isLongRequest(body.byteLength) && name in CommandCode) requireBeforehand(context, session, name as never);
  if (changesMetadata(request)) return once(session, exchange, () => carryOut(context, session, name, body));
  return carryOut(context, session, name, body);
}

function carryOut(
  context: ServerContext,
  session: Session,
  name: CommandName09,
  body: Uint8Array,
): Reply | Promise<Reply> {
  const codecs = codecsOf09(name);
  const value = decode(codecs.request as Codec<unknown>, body);
  const asked = toRequest(name, value);
  const { handle } = commandOf(name);
  const result =
    context.spans === undefined
      ? handle(context, session, asked)
      : traced(context, session, name, asked, () => handle(context, session, asked));
  const toReply = (done: unknown) => replyOf(name, codecs.reply as Codec<unknown>, done);
  return result instanceof Promise ? result.then(toReply) : toReply(result);
}

/** Before the login: ping, login and logout (spec P9 4.1). */
function requireSession(session: Session, { header, request }: Exchange09, name: CommandName09): void {
  const needsSession = request.kind === "command" && request.needsSession;
  if (needsSession && isSessionZero(header)) throw new IggyError("Unauthenticated");
  if (session.user !== undefined || name === "ping" || name === "logoutUser") return;
  throw needsSession ? new Eviction("noSession") : new IggyError("Unauthenticated");
}

function commandOf(name: CommandName09): Pick<Command, "handle"> {
  if (name in CommandCode) return commandTable.get(CommandCode[name as keyof typeof CommandCode])!;
  return newCommands09[name as keyof typeof newCommands09];
}

/** What a request of 0.8 has besides: settings of a topic are options here, and what is not given is the default. */
const topicDefaults = { compressionCode: 1, messageExpiryMicros: 0n, maxTopicSizeBytes: 0n, replicationFactor: 1 };

function toRequest(name: CommandName09, value: unknown): unknown {
  return name === "createTopic" ? { ...topicDefaults, ...(value as object) } : value;
}

function replyOf(name: CommandName09, codec: Codec<unknown>, value: unknown): Reply {
  // Polls make their reply themselves.
  if (name === "pollMessages") return value as PollReply | Uint8Array;
  if (value === undefined) return name === "getTopics" ? encode(codec, []) : emptyReply;
  return encode(codec, value);
}
