// Everything that answers HTTP requests, put together. It brings the libraries along, so it is imported when the first one comes.
import type { UserLogin } from "../../server/index.ts";
import { createHttpApp, type FetchHandler } from "./app.ts";
import { AccessTokens } from "./auth/access-tokens.ts";
import type { Revocations } from "./auth/revocations.ts";
import type { TokenGround } from "./auth/token-ground.ts";
import { TrustedIssuers } from "./auth/trusted-issuers.ts";
import { HttpMetrics } from "./metrics.ts";
import type { HttpServices } from "./services.ts";

export interface HttpAppOptions extends Omit<HttpServices, "tokens" | "metrics"> {
  readonly revocations: Revocations;
  readonly ground: TokenGround;
  readonly loginOf: (userId: number) => UserLogin | undefined;
  readonly isLoggedIn: (login: UserLogin) => boolean;
}

export function loadHttpApp(options: HttpAppOptions): FetchHandler {
  const { context, config, frameMemory, revocations, ground, loginOf, isLoggedIn, peerOf, log } = options;
  const tokens = new AccessTokens({
    config: config.jwt,
    clock: context.clock,
    revocations,
    trustedIssuers: new TrustedIssuers(config.jwt.trustedIssuers, log),
    ground,
    loginOf,
    isLoggedIn,
  });
  return createHttpApp({ context, config, frameMemory, tokens, metrics: new HttpMetrics(context), peerOf, log });
}
