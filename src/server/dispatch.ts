// The one way in for every transport: decode, check the session, run (the order is that of spec BP 2.9).

import type { CommandName } from "../protocol/codes.ts";
import { IggyError } from "../protocol/errors.ts";
import type { Operation } from "../protocol/permissions.ts";
import { tellRefusedView } from "./audit.ts";
import { commandTable } from "./command-table.ts";
import type { ServerContext } from "./context.ts";
import { extensionTable } from "./extensions/table.ts";
import { requireRead } from "./read-only.ts";
import type { Reply } from "./reply.ts";
import { requireLogin, requireRight } from "./rights.ts";
import type { Session } from "./session.ts";
import { traced } from "./traces.ts";

/** Requests that may be so long that reading them takes longer than a second, and the right that they ask for. */
const longRequests: { readonly [N in CommandName]?: Operation } = {
  createUser: "createUser",
  updatePermissions: "updatePermissions",
};
const longBytesMin = 64 * 1024;
/** No request of our own is longer, but a send; to read what is would hold up others. */
const extensionBytesMax = 64 * 1024;

/** Carries out one request; throws or rejects with an IggyError, or with whatever a bug threw. */
export function dispatch(
  context: ServerContext,
  session: Session,
  code: number,
  payload: Uint8Array,
): Reply | Promise<Reply> {
  if (session.isReadOnly) requireRead(code, payload);
  const command = commandTable.get(code);
  if (command === undefined) return dispatchExtension(context, session, code, payload);
  context.shard.pulse.beganCommand(code);
  if (isLongRequest(payload.byteLength)) requireBeforehand(context, session, command.name);
  const request = command.decode(payload);
  if (command.needsLogin) requireLogin(session);
  if (context.spans === undefined) return command.run(context, session, request);
  return traced(context, session, command.name, request, () => command.run(context, session, request));
}

/** The same for a command of our own, and for what is no command: InvalidCommand (3). */
function dispatchExtension(
  context: ServerContext,
  session: Session,
  code: number,
  payload: Uint8Array,
): Reply | Promise<Reply> {
  const extension = extensionTable.get(code);
  if (extension === undefined || payload.byteLength > extensionBytesMax) throw new IggyError("InvalidCommand");
  context.shard.pulse.beganCommand(code);
  const request = extension.decode(payload);
  requireLogin(session);
  return extension.run(context, session, request);
}

/** Whether a request of this size, or of one that nobody knows, may take long to read. */
export function isLongRequest(sizeBytes: number | undefined): boolean {
  return sizeBytes === undefined || sizeBytes > longBytesMin;
}

/** A long request is not even read for who may not ask for it: throws 40 or 41 then. */
export function requireBeforehand(context: ServerContext, session: Session, name: CommandName): void {
  const right = longRequests[name];
  if (right === undefined) return;
  requireLogin(session);
  try {
    requireRight(context.shard, session, right);
  } catch (error) {
    tellRefusedView(context, session, name, error);
    throw error;
  }
}
