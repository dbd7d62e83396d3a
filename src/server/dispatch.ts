// The one way in for every transport: decode, check the session, run (the order is that of spec BP 2.9).
import { IggyError } from "../protocol/errors.ts";
import type { Reply } from "./command.ts";
import { commandTable } from "./command-table.ts";
import type { ServerContext } from "./context.ts";
import { requireLogin } from "./rights.ts";
import type { Session } from "./session.ts";

/** Carries out one request; throws or rejects with an IggyError, or with whatever a bug threw. */
export function dispatch(
  context: ServerContext,
  session: Session,
  code: number,
  payload: Uint8Array,
): Reply | Promise<Reply> {
  const command = commandTable.get(code);
  if (command === undefined) throw new IggyError("InvalidCommand");
  context.shard.pulse.beganCommand(code);
  const request = command.decode(payload);
  if (command.needsLogin) requireLogin(session);
  return command.run(context, session, request);
}
