// Signing in and out at the console, and what anybody may know before (GET /ui/api/hello).
import { Type as t } from "@sinclair/typebox";
import packageJson from "../../../../package.json" with { type: "json" };
import type { ConsoleHello, ConsoleSession } from "../../../protocol/console/session.ts";
import { IggyError } from "../../../protocol/errors.ts";
import { namedObjects, tellLogout, tellRefresh } from "../../../server/index.ts";
import type { AccessToken, Caller } from "../auth/access-tokens.ts";
import { logInWithPassword, logInWithToken } from "../auth/http-logins.ts";
import { jsonBody, publicBodyBytesMax } from "../body.ts";
import { HttpTextError, jsonResponse } from "../errors.ts";
import { object, optional } from "../schemas/kinds.ts";
import type { HttpServices } from "../services.ts";
import { readCookie, type SessionCookie, writeCookie } from "./cookie.ts";
import type { SignIns } from "./sign-ins.ts";

/** Of the life of a token is left when its session is renewed. */
const renewedShare = 4;

const signInBody = object({
  username: optional(t.String()),
  password: optional(t.String()),
  token: optional(t.String()),
  readOnly: optional(t.Boolean()),
  renew: optional(t.Literal(true)),
});

type SignInBody = {
  readonly [K in "username" | "password" | "token"]?: string | null;
} & { readonly readOnly?: boolean | null; readonly renew?: true | null };

export class SessionRoutes {
  readonly #services: HttpServices;
  readonly #signIns: SignIns;
  readonly #cookie: () => SessionCookie;
  readonly #parseSignIn;

  constructor(services: HttpServices, signIns: SignIns, cookie: () => SessionCookie) {
    this.#services = services;
    this.#signIns = signIns;
    this.#cookie = cookie;
    this.#parseSignIn = jsonBody(signInBody, Math.min(publicBodyBytesMax, services.config.maxRequestSizeBytes));
  }

  /** Whoever shows a valid cookie; undefined: nobody. */
  async callerOfCookie(request: Request): Promise<Caller | undefined> {
    const token = readCookie(request, this.#cookie());
    const caller = token === undefined ? undefined : await this.#services.tokens.authenticateAny(token);
    return caller?.console === undefined ? undefined : caller;
  }

  /** Whether a session of this caller changes nothing. */
  isReadOnly({ console }: Caller): boolean {
    return this.#services.config.webUiReadOnly || console?.isReadOnly === true;
  }

  hello(assets: string): Response {
    const { webUiLabel, webUiReadOnly } = this.#services.config;
    return jsonResponse({ assets, label: webUiLabel, readOnly: webUiReadOnly } satisfies ConsoleHello);
  }

  /** The caller's own session; of nobody: that there is none. */
  show(caller: Caller | undefined): Response {
    return jsonResponse(caller === undefined ? signedOut : this.#sessionOf(caller));
  }

  /** Errors: those of logins, Unauthenticated (40) where there is nothing to renew, HttpTextError. */
  async signIn(request: Request, caller: Caller | undefined): Promise<Response> {
    const body = (await this.#parseSignIn({ request })) as SignInBody;
    const token = body.renew === true ? await this.#renew(request, caller) : await this.#logIn(request, body);
    const renewed = await this.#services.tokens.authenticateAny(token.token);
    if (renewed?.console === undefined) throw new IggyError("Unauthenticated");
    this.#signIns.renewed(renewed.console.id, renewed.endSeconds);
    return jsonResponse(this.#sessionOf(renewed), 200, { "set-cookie": writeCookie(this.#cookie(), token.token) });
  }

  /** Ends the sign-in in every window. Also for nobody: then only the cookie goes. Errors: CannotOverwriteFile (10007). */
  async signOut(caller: Caller | undefined): Promise<Response> {
    if (caller?.console !== undefined) {
      const { tokens, context } = this.#services;
      try {
        await tokens.revokeSignIn(caller.console);
      } finally {
        this.#signIns.signedOut(caller.console.id);
      }
      tellLogout(context, caller.session);
    }
    return new Response(null, { status: 204, headers: { "set-cookie": writeCookie(this.#cookie(), "") } });
  }

  async #logIn(request: Request, { username, password, token, readOnly }: SignInBody): Promise<AccessToken> {
    const { context, tokens, peerOf } = this.#services;
    const peer = peerOf(request);
    const console = { id: Bun.randomUUIDv7(), isReadOnly: readOnly === true };
    if (typeof token === "string") {
      return await tokens.issueForConsole(await logInWithToken(context, peer, token), console);
    }
    if (typeof username !== "string" || typeof password !== "string") {
      throw new HttpTextError(422, "Expected username and password, or token, or renew");
    }
    return await tokens.issueForConsole(await logInWithPassword(context, peer, { username, password }), console);
  }

  async #renew(request: Request, caller: Caller | undefined): Promise<AccessToken> {
    if (caller?.console === undefined) throw new IggyError("Unauthenticated");
    const token = await this.#services.tokens.renew(caller);
    tellRefresh(this.#services.context, token.userId, this.#services.peerOf(request));
    return token;
  }

  #sessionOf(caller: Caller): ConsoleSession {
    const { context } = this.#services;
    const login = caller.session.user;
    const user = login && context.shard.state.users.byId.get(login.id);
    if (user === undefined) return signedOut;
    const { topicDefaults, cleanerIntervalMicros } = context;
    const lifeSeconds = caller.expirySeconds - caller.issuedSeconds;
    const renewFromSeconds = caller.expirySeconds - Math.floor(lifeSeconds / renewedShare);
    return {
      user: { id: user.id, name: user.name },
      permissions: user.permissions,
      named: namedObjects(context.shard, user),
      readOnly: this.isReadOnly(caller),
      expiresAt: microsText(caller.expirySeconds),
      renewFrom: microsText(renewFromSeconds),
      broker: {
        version: packageJson.version,
        startedAt: String(context.startTimeMicros),
        retention: {
          cleanerInterval: cleanerIntervalMicros === undefined ? null : String(cleanerIntervalMicros),
          messageExpiry: String(topicDefaults.messageExpiryMicros),
          maxTopicSize: String(topicDefaults.maxTopicSizeBytes),
        },
      },
    };
  }
}

const signedOut: ConsoleSession = { user: null };

function microsText(seconds: number): string {
  return String(BigInt(seconds) * 1_000_000n);
}
