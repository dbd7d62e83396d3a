// Everything that answers HTTP requests, put together. It brings the libraries along, so it is not imported before it is needed.
import type { UserLogin } from "../../server/index.ts";
import type { TlsCertificates } from "../../shard/index.ts";
import { createHttpApp } from "./app.ts";
import { AccessTokens } from "./auth/access-tokens.ts";
import type { Revocations } from "./auth/revocations.ts";
import type { TokenGround } from "./auth/token-ground.ts";
import { TrustedIssuers } from "./auth/trusted-issuers.ts";
import { Console } from "./console/console.ts";
import type { ConsoleSockets } from "./console/sockets.ts";
import { HttpMetrics } from "./metrics.ts";
import type { FetchHandler, HttpServices } from "./services.ts";

export interface HttpAppOptions extends Omit<HttpServices, "tokens" | "metrics"> {
  readonly revocations: Revocations;
  readonly ground: TokenGround;
  readonly loginOf: (userId: number) => UserLogin | undefined;
  readonly isLoggedIn: (login: UserLogin) => boolean;
  /** Of the console. */
  readonly sockets: ConsoleSockets;
  /** HTTPS is spoken. */
  readonly isTls: boolean;
  /** Of the listener. */
  readonly port: () => number;
  /** Of all transports, those that are shown now. */
  readonly certificates: () => TlsCertificates;
}

export function loadHttpApp(options: HttpAppOptions): FetchHandler {
  const { context, config, frameMemory, events, revocations, ground, loginOf, isLoggedIn, peerOf, log } = options;
  const { certificates } = options;
  const tokens = new AccessTokens({
    config: config.jwt,
    clock: context.clock,
    revocations,
    trustedIssuers: new TrustedIssuers(config.jwt.trustedIssuers, log),
    ground,
    loginOf,
    isLoggedIn,
  });
  const services = {
    context,
    config,
    frameMemory,
    events,
    tokens,
    metrics: new HttpMetrics(context, certificates, config.metrics.topicsMax),
    certificates,
    peerOf,
    log,
  };
  return createHttpApp(services, config.webUi ? consoleOf(services, options) : undefined);
}

/** What answers for the console, made with the first request for it. */
function consoleOf(services: HttpServices, { sockets, isTls, port }: HttpAppOptions): FetchHandler {
  let made: Console | undefined;
  return (request, server) => {
    made ??= new Console({ services, sockets, isTls, port });
    return made.fetch(request, server);
  };
}
