// GET /ui/api/config: what the settings are and where they come from, to who may read servers. Secrets are masked.
import type { Setting } from "../../config/settings.ts";
import type { ServerContext } from "../context.ts";
import { requireLogin, requireRight } from "../rights.ts";
import type { Session } from "../session.ts";

/** Errors: 40, 41. */
export async function settingsFor(context: ServerContext, session: Session): Promise<readonly Setting[]> {
  requireLogin(session);
  requireRight(context.shard, session, "getStats");
  return await context.settings();
}
