// Checks of passwords and tokens: guessing is slow, and said in the log. When a try is looked at is the login desk's to say
// (logins/login-desk.ts).
//
// A refusal is a value here, and where it has to be a rejection it is made one without being thrown: each throw copies the
// stack once more, on every step of a chain of promises, and whoever floods the broker with logins decides how often.
import type { User } from "../metadata/index.ts";
import { IggyError } from "../protocol/errors.ts";
import { actorOf } from "./audit.ts";
import type { ServerContext } from "./context.ts";
import { tooManyWait } from "./logins/logins.ts";
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
 * Why a password is refused: InvalidCredentials (42), or CannotEstablishConnection (9) when too many tries wait; both are in the
 * log. Undefined: it is right. Rejects when it could not be checked, which is a fault.
 */
export async function refusalOfPassword(
  context: ServerContext,
  session: Session,
  { name, password, user }: PasswordTry,
): Promise<IggyError | undefined> {
  const { address } = session;
  const verdict = await context.logins.check({ address, name, password, passwordHash: user?.passwordHash });
  if (verdict === "right") return undefined;
  const refusal = verdict === "refused" ? tooManyWait : new IggyError("InvalidCredentials");
  tellRefusal(context, session, refusal);
  return refusal;
}

/**
 * A login with a token, by which nobody can guess: a right one waits for nothing. Rejects with the error that `attempt` returns,
 * when it is the turn of one that is refused (spec SB 7.4).
 */
export async function tokenLogin<T extends object>(
  context: ServerContext,
  session: Session,
  attempt: () => T | IggyError,
): Promise<T> {
  const result = attempt();
  if (!(result instanceof IggyError)) {
    tellLogin(context, session);
    return result;
  }
  const isTooMany = isGuess(result) && (await context.logins.wrongToken(session.address)) === "refused";
  const refusal = isTooMany ? tooManyWait : result;
  tellRefusal(context, session, refusal);
  return Promise.reject(refusal);
}

/** Notes who has just logged in. */
export function tellLogin(context: ServerContext, session: Session): void {
  context.auditLog.info("logged in", actorOf(context, session));
}

function isGuess({ errorName }: IggyError): boolean {
  return guesses.has(errorName);
}

function tellRefusal({ auditLog, shard, logins }: ServerContext, { address, transport }: Session, error: IggyError) {
  if (error === tooManyWait) {
    shard.statistics.add("refusedLogins");
    // A flood of them is told once in a while.
    if (logins.isNewsThatTooManyWait()) auditLog.warn("refused a login: too many wait", { address, transport });
  }
  // Without the name: it may be a password in the wrong field.
  if (isGuess(error)) auditLog.warn("refused a login", { address, transport, error: error.errorName });
}
