// The HTTP server of shard 0.
import type { Server, SocketAddress } from "bun";
import { formatListenAddress, type ListenAddress } from "../../config/address.ts";
import type { Config } from "../../config/schema/index.ts";
import type { Logger } from "../../observability/log.ts";
import type { Disk } from "../../platform/disk.ts";
import type { CertificatePair } from "../../security/certificates.ts";
import type { ServerContext } from "../../server/index.ts";
import type { FrameMemory } from "../../shard/index.ts";
import { createHttpApp, type FetchHandler } from "./app.ts";
import { AccessTokens } from "./auth/access-tokens.ts";
import { Revocations } from "./auth/revocations.ts";
import { TrustedIssuers } from "./auth/trusted-issuers.ts";
import { HttpMetrics } from "./metrics.ts";

export interface HttpServerOptions {
  readonly context: ServerContext;
  readonly config: Config["http"];
  readonly frameMemory: FrameMemory;
  readonly disk: Disk;
  /** Holds the file of revoked tokens. */
  readonly stateDirectory: string;
  readonly log: Logger;
}

/** Expired entries leave the list of revoked tokens (spec HA 4.4). */
const cleanMs = 300_000;
/** The longest that the runtime knows; the original has no limit (spec HA 1.1). */
const idleTimeoutSeconds = 255;

export class HttpServer {
  readonly #options: HttpServerOptions;
  readonly #revocations: Revocations;
  readonly #fetch: FetchHandler;
  /** The one that accepts, and earlier ones with open connections. */
  readonly #servers = new Set<Server<undefined>>();
  #address: ListenAddress | undefined;
  #isStopped = false;
  #cleaner: Timer | undefined;

  /** Throws RevocationFileError. */
  constructor(options: HttpServerOptions) {
    const { context, config, frameMemory, disk, stateDirectory, log } = options;
    this.#options = options;
    this.#revocations = Revocations.open({ disk, directory: stateDirectory, log });
    const trustedIssuers = new TrustedIssuers(config.jwt.trustedIssuers, log);
    const tokens = new AccessTokens({
      config: config.jwt,
      clock: context.clock,
      revocations: this.#revocations,
      trustedIssuers,
      userCreatedAtMicros: (userId) => context.shard.state.users.byId.get(userId)?.createdAtMicros,
    });
    const metrics = new HttpMetrics(context);
    this.#fetch = createHttpApp({
      context,
      config,
      frameMemory,
      tokens,
      metrics,
      peerOf: (request) => this.#peerOf(request),
      log,
    });
  }

  /** Starts to accept; returns the port, which the system chose where 0 was asked for. Throws if it cannot. */
  listen(address: ListenAddress, certificate?: CertificatePair): number {
    const server = this.#bind(address, certificate);
    const port = server.port ?? address.port;
    this.#address = { host: address.host, port };
    this.#cleaner = setInterval(() => {
      void this.#revocations.clean(Math.floor(this.#options.context.clock.nowMicros() / 1e6));
    }, cleanMs);
    return port;
  }

  /**
   * New connections get the certificate. Requests under way are finished by the server that accepted them; connections
   * without one are closed, as the runtime has no other way, and clients open new ones.
   */
  changeCertificate(certificate: CertificatePair): void {
    if (this.#address === undefined || this.#isStopped) return;
    const earlier = [...this.#servers];
    this.#bind(this.#address, certificate);
    for (const server of earlier) this.#stopServer(server);
  }

  /** Requests under way. */
  get pendingRequests(): number {
    return [...this.#servers].reduce((sum, server) => sum + server.pendingRequests, 0);
  }

  /** No new connections; what is under way goes on. */
  stop(): void {
    this.#isStopped = true;
    clearInterval(this.#cleaner);
    for (const server of this.#servers) this.#stopServer(server);
  }

  /** Cuts what is still there. */
  terminate(): void {
    for (const server of this.#servers) void server.stop(true);
  }

  #bind({ host, port }: ListenAddress, certificate: CertificatePair | undefined): Server<undefined> {
    const server = Bun.serve({
      hostname: host,
      port,
      fetch: this.#fetch,
      // Larger bodies are refused by the routes with the documented answer, before they are read.
      maxRequestBodySize: Number.MAX_SAFE_INTEGER,
      idleTimeout: idleTimeoutSeconds,
      development: false,
      // A certificate can only be changed by a second server on the same port.
      ...(certificate && { reusePort: true, tls: { cert: certificate.certPem, key: certificate.keyPem } }),
    });
    this.#servers.add(server);
    return server;
  }

  /** It goes when its last connection is closed. */
  #stopServer(server: Server<undefined>): void {
    server.stop(false).then(
      () => this.#servers.delete(server),
      (error: unknown) => this.#options.log.warn("an HTTP server could not be stopped", { error }),
    );
  }

  #peerOf(request: Request): string {
    let peer: SocketAddress | null = null;
    for (const server of this.#servers) peer ??= server.requestIP(request);
    return peer ? formatListenAddress({ host: peer.address, port: peer.port }) : "";
  }
}
