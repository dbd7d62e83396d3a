// Checks of passwords and tokens: guessing is slow, and said in the log. When a try is looked at is the login desk's to say
// (logins/login-desk.ts).
import type { User } from "../metadata/index.ts";
import { IggyError } from "../protocol/errors.ts";
import { actorOf } from "./audit.ts";
import type { ServerContext } from "./context.ts";
import type { Session } from "./session.ts";

/** Failures that tell of a guess. */
const guesses = new Set(["InvalidCredentials", "ResourceNotFound", "PersonalAccessTokenExpired"]);

/** Name and password of a login, or the present password of a user whose password is to change. */
export interface PasswordTry {
  readonly name: string;
  readonly password: string;
  /** Undefined: nobody has the name. */
  readonly user: User | undefined;
}

/**
 * Returns when the password is right. Throws InvalidCredentials (42), and CannotEstablishConnection (9) when too many tries
 * wait; both are in the log.
 */
export async function requireRightPassword(
  context: ServerContext,
  session: Session,
  { name, password, user }: PasswordTry,
): Promise<void> {
  const { address } = session;
  const passwordHash = user?.passwordHash;
  try {
    if (await context.logins.isRight({ address, name, password, passwordHash })) return;
  } catch (error) {
    tellRefusal(context, session, error);
    throw error;
  }
  const wrong = new IggyError("InvalidCredentials");
  tellRefusal(context, session, wrong);
  throw wrong;
}

/**
 * A login with a token, by which nobody can guess: a right one waits for nothing. Rejects with what `attempt` throws, when
 * it is the turn of one that is refused (spec SB 7.4).
 */
export async function tokenLogin<T>(context: ServerContext, session: Session, attempt: () => T): Promise<T> {
  try {
    const result = attempt();
    tellLogin(context, session);
    return result;
  } catch (error) {
    if (isGuess(error)) await context.logins.wrongToken(session.address);
    tellRefusal(context, session, error);
    throw error;
  }
}

/** Notes who has just logged in. */
export function tellLogin(context: ServerContext, session: Session): void {
  context.auditLog.info("logged in", actorOf(context, session));
}

function isGuess(error: unknown): error is IggyError {
  return error instanceof IggyError && guesses.has(error.errorName);
}

function tellRefusal({ auditLog, shard, logins }: ServerContext, { address, transport }: Session, error: unknown) {
  if (error instanceof IggyError && error.errorName === "CannotEstablishConnection") {
    shard.statistics.add("refusedLogins");
    // A flood of them is told once in a while.
    if (logins.isNewsThatTooManyWait()) auditLog.warn("refused a login: too many wait", { address, transport });
  }
  // Without the name: it may be a password in the wrong field.
  if (isGuess(error)) auditLog.warn("refused a login", { address, transport, error: error.errorName });
}
