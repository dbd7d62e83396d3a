// The login of 0.9: one request for password and token, told apart by the body (spec P9 4.2). A refusal sends the client away
// without closing the connection, on which it may try again.
import { findUser } from "../../metadata/index.ts";
import { encode } from "../../protocol/codec.ts";
import { CommandCode } from "../../protocol/codes.ts";
import { IggyError } from "../../protocol/errors.ts";
import type { EvictionReasonName } from "../../protocol/v09/headers.ts";
import { protocolVersion } from "../../protocol/v09/protocol-version.ts";
import { parseRegister, registerReplyCodec } from "../../protocol/v09/register.ts";
import { commandTable } from "../command-table.ts";
import type { ServerContext } from "../context.ts";
import { isLoggedIn, type Session } from "../session.ts";
import { Eviction } from "./eviction.ts";

/** What clients are told: the version of the original whose protocol is spoken. */
const serverVersion = "0.9.0";

type Login = "loginUser" | "loginWithPersonalAccessToken";

/** What a refused login is to the client, by its error; all others are answered as they are. */
const reasons: Readonly<Record<Login, Readonly<Record<string, EvictionReasonName>>>> = {
  loginUser: {
    InvalidUsername: "invalidCredentials",
    InvalidPassword: "invalidCredentials",
    InvalidCredentials: "invalidCredentials",
    UserInactive: "invalidCredentials",
  },
  loginWithPersonalAccessToken: {
    ResourceNotFound: "invalidToken",
    PersonalAccessTokenExpired: "invalidToken",
    UserInactive: "userInactive",
  },
};

/**
 * Body of the reply, behind the result section. Rejects with an `Eviction`, and with an IggyError where the broker cannot look at
 * the login now; a refused login is not thrown on the way, for the reason in login.ts. A connection that has a session keeps it, whoever logs in (spec P9 4.2, row 7).
 */
export async function register(context: ServerContext, session: Session, body: Uint8Array): Promise<Uint8Array> {
  const parsed = parseRegister(body);
  if (parsed.kind === "malformed") throw new Eviction("malformedLogin");
  if (parsed.kind === "incompatible") throw new Eviction("incompatibleProtocol");
  const { password, token, sdkVersion } = parsed.request;
  if (session.sessionNumber !== 0 && isLoggedIn(session)) return registered(session);
  // Where the bytes are both, they are a password if somebody has the name (spec P9 4.2).
  const isName = password !== undefined && (token === undefined || isUserName(context, password.username));
  if (isName) {
    const request = { ...password, version: sdkVersion, context: "" };
    const refusal = await refusalOf(context, session, "loginUser", request);
    if (refusal !== undefined && (token === undefined || !(refusal instanceof Eviction)))
      return Promise.reject(refusal);
  }
  if (!isLoggedIn(session) && token !== undefined) {
    const refusal = await refusalOf(context, session, "loginWithPersonalAccessToken", { token });
    if (refusal !== undefined) return Promise.reject(refusal);
  }
  session.sessionNumber = context.sessions.nextNumber();
  return registered(session);
}

function isUserName({ shard }: ServerContext, value: string): boolean {
  return findUser(shard.state, { kind: "string", value }) !== undefined;
}

/** Logs in; undefined when that is done. */
function refusalOf(
  context: ServerContext,
  session: Session,
  name: Login,
  request: unknown,
): Promise<Eviction | IggyError | undefined> {
  const login = commandTable.get(CommandCode[name])!.handle(context, session, request);
  return Promise.resolve(login).then(
    () => undefined,
    (error: unknown) => {
      if (!(error instanceof IggyError)) throw error; // a fault
      const reason = reasons[name][error.errorName];
      return reason === undefined ? error : new Eviction(reason, { cause: error });
    },
  );
}

function registered({ user, sessionNumber }: Session): Uint8Array {
  const session = BigInt(sessionNumber);
  return encode(registerReplyCodec, { userId: user!.id, session, protocolVersion, serverVersion });
}
