// Cutting the connection of a client, for who manages the server. No command of the protocol does that; the console does.
import { IggyError } from "../../protocol/errors.ts";
import { actorOf, tellRefusedView } from "../audit.ts";
import type { ServerContext } from "../context.ts";
import { requireLogin, requireRight } from "../rights.ts";
import type { Session } from "../session.ts";

/**
 * On whichever shard and transport it is. Errors: Unauthenticated (40), Unauthorized (41), ClientNotFound (100) for one that is
 * gone. Audited, as every change is.
 */
export async function disconnectClient(context: ServerContext, session: Session, clientId: number): Promise<void> {
  const { shard, auditLog } = context;
  requireLogin(session);
  try {
    requireRight(shard, session, "disconnectClient");
  } catch (error) {
    tellRefusedView(context, session, "disconnectClient", error);
    throw error;
  }
  if (!(await shard.disconnectClient(clientId))) throw new IggyError("ClientNotFound", [clientId]);
  auditLog.info("disconnected a client", { target: clientId, right: "disconnectClient", ...actorOf(context, session) });
}
