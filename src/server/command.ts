// One entry per command: who may use it, what carries it out. The codecs come from the protocol's registry by name, so that
// an entry is the only place where a command is wired.
import { type Codec, decode, encode } from "../protocol/codec.ts";
import type { CommandName } from "../protocol/codes.ts";
import { commandCodecs } from "../protocol/registry.ts";
import { encodeFencedPoll } from "../protocol/v09/batch-layout.ts";
import { auditOf } from "./audit.ts";
import type { ReplyValueOf, RequestOf } from "./command-values.ts";
import type { ServerContext } from "./context.ts";
import { emptyReply, type Reply } from "./reply.ts";
import type { Session } from "./session.ts";

/**
 * The poll of a member of 0.9 whose partition is not its own, or not any more: partition 2^32 - 1, which makes it sync its
 * group again, current offset 0, no messages (spec P9 9.4). The whole body of the reply.
 */
export const fencedPoll = encodeFencedPoll();

export type Handler<Request, Result> = (
  context: ServerContext,
  session: Session,
  request: Request,
) => Result | Promise<Result>;

/** A command as dispatch runs it. */
export interface Command {
  readonly name: CommandName;
  /** Everything but ping and the logins (spec BP 4.1). */
  readonly needsLogin: boolean;
  /** Reads the request; throws an IggyError for bytes that are none (spec BP 2.9). */
  decode(payload: Uint8Array): unknown;
  run(context: ServerContext, session: Session, request: unknown): Reply | Promise<Reply>;
  /** The same with the reply as the handler returns it, for transports that do not speak bytes (execute.ts). */
  handle(context: ServerContext, session: Session, request: unknown): unknown;
}

/** A command whose reply is a value of the registry's reply codec; `undefined` is the empty payload. */
export function command<N extends CommandName>(
  name: N,
  handler: Handler<RequestOf<N>, ReplyValueOf<N> | undefined>,
  options: { readonly needsLogin: boolean } = { needsLogin: true },
): Command {
  const handle = audited(name, handler);
  const replyCodec: Codec<ReplyValueOf<N>> = commandCodecs[name].reply as Codec<never>;
  const toReply = (value: ReplyValueOf<N> | undefined) =>
    value === undefined ? emptyReply : encode(replyCodec, value);
  const plain = plainCommand(
    name,
    (context, session, request: RequestOf<N>) => {
      const result = handle(context, session, request);
      return result instanceof Promise ? result.then(toReply) : toReply(result);
    },
    options,
  );
  return { ...plain, handle: (context, session, request) => handle(context, session, request as RequestOf<N>) };
}

function audited<N extends CommandName, Result>(
  name: N,
  handle: Handler<RequestOf<N>, Result>,
): Handler<RequestOf<N>, Result> {
  const audit = auditOf(name);
  if (audit === undefined) return handle;
  return async (context, session, request) => {
    const entry = audit(context, session, request);
    try {
      const result = await handle(context, session, request);
      entry.done();
      return result;
    } catch (error) {
      entry.refused(error);
      throw error;
    }
  };
}

/** A command that makes its own reply. */
export function plainCommand<N extends CommandName>(
  name: N,
  handle: Handler<RequestOf<N>, Reply>,
  options: { readonly needsLogin: boolean } = { needsLogin: true },
): Command {
  const requestCodec: Codec<RequestOf<N>> = commandCodecs[name].request as Codec<never>;
  const run: Command["run"] = (context, session, request) => handle(context, session, request as RequestOf<N>);
  return { name, needsLogin: options.needsLogin, decode: (payload) => decode(requestCodec, payload), run, handle: run };
}
