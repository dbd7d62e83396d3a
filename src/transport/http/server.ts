// The HTTP server of shard 0: it listens from the start on. What answers requests takes its libraries along, a tenth of a second
// and more memory than a shard: the first request loads it.
import type { Server, SocketAddress } from "bun";
import { formatListenAddress, type ListenAddress } from "../../config/address.ts";
import type { Config } from "../../config/schema/index.ts";
import type { Logger } from "../../observability/log.ts";
import type { Disk } from "../../platform/disk.ts";
import { isExecutable } from "../../platform/executable.ts";
import { LoopSockets } from "../../platform/loop-sockets.ts";
import { type CertificatePair, isSamePair } from "../../security/certificates.ts";
import { currentLoginOf, holds, type ServerContext } from "../../server/index.ts";
import type { FrameMemory, TlsCertificates } from "../../shard/index.ts";
import type { TransportOptions } from "../connections.ts";
import { exchangeListener } from "../listener-exchange.ts";
import { RuntimeConnections } from "../runtime-connections.ts";
import { Revocations } from "./auth/revocations.ts";
import { groundOf, type TokenGround } from "./auth/token-ground.ts";
import type { ConsoleSocketData } from "./console/socket-handler.ts";
import { ConsoleSockets } from "./console/sockets.ts";
import { EventStreams } from "./events/event-streams.ts";
import type { FetchHandler } from "./services.ts";

export interface HttpServerOptions {
  readonly context: ServerContext;
  readonly config: Config["http"];
  readonly frameMemory: FrameMemory;
  /** For the sockets of the console. */
  readonly binary: TransportOptions;
  /** Beyond it the most idle are closed; Infinity: no limit. */
  readonly connectionsMax: number;
  /** Of all transports, those that are shown now. */
  readonly certificates: () => TlsCertificates;
  readonly disk: Disk;
  /** Holds the file of revoked tokens. */
  readonly stateDirectory: string;
  readonly log: Logger;
}

/** Expired entries leave the list of revoked tokens (spec HA 4.4). */
const cleanMs = 300_000;
/** The longest that the runtime knows; the original has no limit (spec HA 1.1). */
const idleTimeoutSeconds = 255;
/** Earlier servers whose idle connections stay: one for each change of the certificate. */
const earlierServersMax = 8;

export class HttpServer {
  readonly #options: HttpServerOptions;
  readonly #revocations: Revocations;
  readonly #ground: TokenGround;
  #fetch: FetchHandler | undefined;
  #loading: Promise<FetchHandler> | undefined;
  /** While it is loaded: who comes meanwhile waits for the same. */
  readonly #events = new EventStreams();
  /** Earlier ones, which may have open connections, then the one that accepts. */
  readonly #servers = new Set<Server<ConsoleSocketData>>();
  readonly #consoleSockets: ConsoleSockets;
  #address: ListenAddress | undefined;
  #certificate: CertificatePair | undefined;
  #loopSockets: LoopSockets | undefined;
  #connections: RuntimeConnections | undefined;
  #isStopped = false;
  #cleaner: Timer | undefined;

  /** Throws TokenKeyError. */
  constructor(options: HttpServerOptions) {
    const { context, config, disk, stateDirectory, log } = options;
    this.#options = options;
    this.#revocations = Revocations.open({
      disk,
      directory: stateDirectory,
      log,
      nowSeconds: () => Math.floor(context.clock.nowMicros() / 1e6),
    });
    this.#ground = groundOf(config.jwt, (userId) => currentLoginOf(context.shard, userId));
    this.#consoleSockets = new ConsoleSockets(options.binary);
  }

  /**
   * Starts to accept; resolves with the port, which the system chose where 0 was asked for. Rejects if it cannot. What answers is
   * loaded with the first request (20 MB that many never need), but only where it is inside the executable: a flood of connections
   * may have taken the descriptors for its files by then, and the runtime would remember that they cannot be read.
   */
  async listen(address: ListenAddress, certificate?: CertificatePair): Promise<number> {
    this.#certificate = certificate;
    if (!isExecutable) this.#fetch = await this.#load();
    const server = this.#bind(address);
    this.#servers.add(server);
    const port = server.port ?? address.port;
    this.#address = { host: address.host, port };
    const { connectionsMax: max, context, log } = this.#options;
    const { statistics } = context.shard;
    this.#loopSockets = LoopSockets.open();
    const sockets = this.#loopSockets;
    this.#connections = new RuntimeConnections({
      ...{ port, sockets, max, key: "connections.max_http", statistics, log },
      // Sockets of the console have bounds of their own.
      knownAddresses: () => this.#consoleSockets.addresses(),
    });
    this.#connections.start();
    this.#consoleSockets.start();
    this.#cleaner = setInterval(() => {
      void this.#revocations.clean(Math.floor(this.#options.context.clock.nowMicros() / 1e6));
    }, cleanMs);
    return port;
  }

  /**
   * New connections get the certificate; open ones go on with the server that accepted them. The runtime closes idle
   * connections of a server that is stopped, so earlier ones are not stopped while there are few.
   */
  changeCertificate(certificate: CertificatePair): void {
    if (this.#certificate === undefined || this.#isStopped || isSamePair(this.#certificate, certificate)) return;
    this.#certificate = certificate;
    const address = this.#address;
    const previous = [...this.#servers].at(-1);
    if (address === undefined || previous === undefined) return;
    const server = exchangeListener({
      address,
      previous,
      bind: (at) => this.#bind(at),
      stop: (each) => this.#stopServer(each),
      retire: () => undefined,
    });
    this.#servers.add(server);
    for (const oldest of [...this.#servers].slice(0, -1 - earlierServersMax)) this.#stopServer(oldest);
  }

  /** Requests under way, and sockets of the console. */
  get pendingRequests(): number {
    return this.#consoleSockets.count + [...this.#servers].reduce((sum, server) => sum + server.pendingRequests, 0);
  }

  /** No new connections; what is under way goes on. */
  stop(): void {
    this.#isStopped = true;
    clearInterval(this.#cleaner);
    this.#connections?.stop();
    this.#events.stop();
    this.#loopSockets?.close();
    for (const server of this.#servers) this.#stopServer(server);
    this.#consoleSockets.disconnectAll();
  }

  /** Cuts what is still there. */
  terminate(): void {
    this.#consoleSockets.terminateAll();
    for (const server of this.#servers) void server.stop(true);
  }

  #bind({ host, port }: ListenAddress): Server<ConsoleSocketData> {
    const certificate = this.#certificate;
    return Bun.serve<ConsoleSocketData>({
      hostname: host,
      port,
      fetch: (request, server) =>
        this.#fetch === undefined ? this.#answerFirst(request, server) : this.#fetch(request, server),
      websocket: this.#consoleSockets.handlers(),
      // Larger bodies are refused by the routes with the documented answer, before they are read.
      maxRequestBodySize: Number.MAX_SAFE_INTEGER,
      idleTimeout: idleTimeoutSeconds,
      development: false,
      // Two may listen for a moment while the certificate changes.
      ...(certificate && { reusePort: true, tls: { cert: certificate.certPem, key: certificate.keyPem } }),
    });
  }

  async #answerFirst(request: Request, server: Server<ConsoleSocketData>): Promise<Response | undefined> {
    this.#loading ??= this.#load();
    this.#fetch = await this.#loading;
    return this.#fetch(request, server);
  }

  async #load(): Promise<FetchHandler> {
    const { loadHttpApp } = await import("./load-app.ts");
    return loadHttpApp({
      ...this.#options,
      events: this.#events,
      revocations: this.#revocations,
      ground: this.#ground,
      loginOf: (userId) => currentLoginOf(this.#options.context.shard, userId),
      isLoggedIn: (login) => holds(this.#options.context.shard, login),
      peerOf: (request) => this.#peerOf(request),
      sockets: this.#consoleSockets,
      isTls: this.#certificate !== undefined,
      port: () => this.#address?.port ?? 0,
    });
  }

  /** It goes when its last connection is closed. */
  #stopServer(server: Server<ConsoleSocketData>): void {
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
