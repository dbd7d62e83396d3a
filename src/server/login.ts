// Guessing passwords and tokens is slow: after failures from an address its next tries wait, whoever they are for.
import { IggyError } from "../protocol/errors.ts";
import { actorOf } from "./audit.ts";
import type { ServerContext } from "./context.ts";
import type { Session } from "./session.ts";

/** Failures that tell of a guess. */
const guesses = new Set(["InvalidCredentials", "ResourceNotFound", "PersonalAccessTokenExpired"]);

/** Carries out `attempt`, late if the address has failed before (spec SB 7.4). Rejects with what `attempt` throws. */
export async function throttledLogin<T>(
  context: ServerContext,
  session: Session,
  attempt: () => T | Promise<T>,
): Promise<T> {
  const { loginThrottle, clock, auditLog } = context;
  const { address, transport } = session;
  const host = address.slice(0, address.lastIndexOf(":"));
  const delayMs = loginThrottle.delayMs(host, clock.nowMicros() / 1000);
  if (delayMs > 0) await Bun.sleep(delayMs);
  try {
    const result = await attempt();
    loginThrottle.succeeded(host);
    if (auditLog.isEnabled("debug")) auditLog.debug("logged in", actorOf(context, session));
    return result;
  } catch (error) {
    if (error instanceof IggyError && guesses.has(error.errorName)) {
      loginThrottle.failed(host, clock.nowMicros() / 1000);
      // Without the name: it may be a password in the wrong field.
      auditLog.warn("refused a login", { address, transport, error: error.errorName });
    }
    throw error;
  }
}
