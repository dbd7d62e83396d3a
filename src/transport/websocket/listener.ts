// The WebSocket listener of one shard. Every shard listens on the same port; the kernel spreads the connections.
import type { Server, ServerWebSocket, WebSocketHandler } from "bun";
import { formatListenAddress, type ListenAddress } from "../../config/address.ts";
import { LoopSockets } from "../../platform/loop-sockets.ts";
import { type CertificatePair, isSamePair } from "../../security/certificates.ts";
import { type HostRules, isAllowedHost, refusedHostText } from "../allowed-hosts.ts";
import { Connections, type TransportOptions } from "../connections.ts";
import { FewAtATime } from "../few-at-a-time.ts";
import { FirstOfEach } from "../first-of-each.ts";
import { exchangeListener } from "../listener-exchange.ts";
import { RuntimeConnections } from "../runtime-connections.ts";
import { anonymousMessageBytesMax } from "../session-limits.ts";
import { WebSocketConnection } from "./connection.ts";
import { isAllowedOrigin, type OriginRules } from "./origin.ts";
import { ReceiveBuffer, ReceiveBufferFullError, receiveBufferBaseBytes } from "./receive-buffer.ts";
import { UnfinishedMessages } from "./unfinished-messages.ts";

/** Limits of one connection in bytes; undefined: the default. */
export interface WebSocketLimits {
  /** A longer message ends its connection. */
  readonly messageBytesMax: number | undefined;
  /** First size of the receive buffer, and the step of its growth. */
  readonly readBufferBytes: number | undefined;
  /** Most bytes that the runtime holds for a client that does not read; 0: no limit. */
  readonly writeBufferBytesMax: number | undefined;
}

export interface WebSocketListenerOptions extends TransportOptions {
  readonly limits: WebSocketLimits;
  /** Connections whose handshake is not done; beyond it the most idle are closed. Infinity: no limit. */
  readonly handshakesMax: number;
  readonly originRules: () => OriginRules;
  readonly hostRules: HostRules;
  /** Undefined: plain WebSocket. */
  readonly tls: CertificatePair | undefined;
}

interface SocketData {
  readonly address: string;
  connection: WebSocketConnection | undefined;
}

/** The original's library (spec BP 2.3). */
const defaultMessageBytesMax = 64 * 1024 * 1024;
/** Our own replies leave at most one message there; what can fill it are pongs for pings. */
const defaultWriteBufferBytesMax = 2 * 1024 * 1024;
/** Smaller buffers would be moved more often than filled. */
const readBufferBytesMin = 4 * 1024;

/** Clients that send too much before a login are told once in this time. */
const hoarderLineMs = 10_000;

/** An upgrade takes some 0.1 ms, and clients come in bursts when a network or a broker is back. */
const upgradesPerTurn = 4;

const status = { badRequest: 400, forbidden: 403, upgradeRequired: 426, unavailable: 503 } as const;

export class WebSocketListener {
  readonly #options: WebSocketListenerOptions;
  readonly #connections: Connections;
  readonly #readBufferBytes: number;
  #tls: CertificatePair | undefined;
  #address: ListenAddress | undefined;
  #server: Server<SocketData> | undefined;
  #sockets: LoopSockets | undefined;
  #unfinished: UnfinishedMessages<WebSocketConnection> | undefined;
  #handshakes: RuntimeConnections | undefined;
  #isStopped = false;
  readonly #refused = new FirstOfEach();
  readonly #newcomers = new FewAtATime(upgradesPerTurn);
  #hoarderToldMs = Number.NEGATIVE_INFINITY;

  constructor(options: WebSocketListenerOptions) {
    this.#options = options;
    this.#tls = options.tls;
    this.#readBufferBytes = Math.max(options.limits.readBufferBytes ?? receiveBufferBaseBytes, readBufferBytesMin);
    this.#connections = new Connections("websocket", options);
  }

  /** Starts to accept; returns the port, which the system chose where 0 was asked for. Throws if it cannot. */
  listen(address: ListenAddress): number {
    this.#server = this.#bind(address);
    const port = this.#server.port ?? address.port;
    this.#address = { host: address.host, port };
    this.#sockets = LoopSockets.open();
    this.#unfinished = new UnfinishedMessages({
      port,
      sockets: this.#sockets,
      bytesMax: anonymousMessageBytesMax,
      isLoggedIn: ({ pipeline }) => pipeline.session.user !== undefined,
      isHeldUp: ({ pipeline }) => pipeline.isLoggingIn,
      onTooMany: (connection) => this.#closeHoarder(connection),
    });
    this.#handshakes = new RuntimeConnections({
      port,
      sockets: this.#sockets,
      max: this.#options.handshakesMax,
      key: "connections.max_handshakes",
      knownAddresses: () => this.#connections.addresses(),
      statistics: this.#options.context.shard.statistics,
      log: this.#options.log,
    });
    this.#handshakes.start();
    this.#connections.start();
    return port;
  }

  /** As TcpListener.reloadTls. */
  reloadTls(pair: CertificatePair): void {
    if (this.#tls === undefined || this.#isStopped || isSamePair(this.#tls, pair)) return;
    this.#tls = pair;
    const address = this.#address;
    const previous = this.#server;
    if (address === undefined || previous === undefined) return;
    this.#server = exchangeListener({
      address,
      previous,
      bind: (at) => this.#bind(at),
      stop: (server) => this.#stopServer(server),
    });
  }

  get connectionsCount(): number {
    return this.#connections.count;
  }

  /** No new connections; every open one is told and closed (spec SB 8.10). */
  stop(): void {
    this.#isStopped = true;
    this.#handshakes?.stop();
    this.#sockets?.close();
    this.#stopServer(this.#server);
    this.#connections.disconnectAll();
  }

  /** Cuts what is still there. */
  terminate(): void {
    this.#connections.terminateAll();
  }

  /** Open connections go on. */
  #stopServer(server: Server<SocketData> | undefined): void {
    server?.stop(false).catch((error: unknown) => this.#options.log.error("the listener did not stop", { error }));
  }

  #bind({ host, port }: ListenAddress): Server<SocketData> {
    return Bun.serve<SocketData>({
      hostname: host,
      port,
      reusePort: true,
      ...(this.#tls === undefined ? {} : { tls: { cert: this.#tls.certPem, key: this.#tls.keyPem } }),
      fetch: (request, server) => {
        const turn = this.#newcomers.turn();
        return turn === undefined ? this.#upgrade(request, server) : turn.then(() => this.#upgrade(request, server));
      },
      websocket: this.#handlers(),
    });
  }

  /** Any path; sub-protocols are not looked at (spec BP 2.5). */
  #upgrade(request: Request, server: Server<SocketData>): Response | undefined {
    const { headers } = request;
    const origin = headers.get("origin");
    const host = headers.get("host");
    // Without an origin it is no browser, and any name will do.
    if (origin !== null && !isAllowedHost(host, this.#options.hostRules)) {
      this.#warnRefused(`host ${host}`, "refused a page at a host name that http.allowed_hosts lacks", {
        origin,
        host,
      });
      return new Response(refusedHostText, { status: status.forbidden });
    }
    if (!isAllowedOrigin(origin, host, this.#options.originRules())) {
      const hint = "websocket.allowed_origins would allow it";
      this.#warnRefused(`origin ${origin}`, "refused a page of another origin", { origin, host, hint });
      return new Response("This origin is not allowed; see websocket.allowed_origins.\n", { status: status.forbidden });
    }
    const peer = server.requestIP(request);
    const address = peer === null ? "" : formatListenAddress({ host: peer.address, port: peer.port });
    if (!this.#connections.admits(address)) {
      const headers = { connection: "close" };
      return new Response("There are too many clients.\n", { status: status.unavailable, headers });
    }
    if (server.upgrade(request, { data: { address, connection: undefined } })) return undefined;
    return headers.get("upgrade")?.toLowerCase() === "websocket"
      ? new Response("This is no WebSocket handshake.\n", { status: status.badRequest })
      : new Response("Only WebSocket connections are served here.\n", {
          status: status.upgradeRequired,
          headers: { upgrade: "websocket", connection: "Upgrade" },
        });
  }

  /** Once for each: a page tries again and again. */
  #warnRefused(what: string, message: string, fields: Readonly<Record<string, unknown>>): void {
    if (this.#refused.isNew(what)) this.#options.log.warn(message, fields);
  }

  #handlers(): WebSocketHandler<SocketData> {
    const { messageBytesMax, writeBufferBytesMax } = this.#options.limits;
    return {
      maxPayloadLength: messageBytesMax ?? defaultMessageBytesMax,
      backpressureLimit: writeBufferBytesMax ?? defaultWriteBufferBytesMax,
      // Idle connections are never closed (spec BP 2.7).
      idleTimeout: 0,
      sendPings: false,
      perMessageDeflate: false,
      open: (socket) => this.#open(socket),
      message: (socket, message) => {
        const { connection } = socket.data;
        if (connection === undefined) return;
        const messageBytes = message.length; // its memory is given back by who reads it
        this.#unfinished?.took(connection, messageBytes);
        // Text is ignored (spec BP 2.5).
        if (typeof message === "string") {
          this.#requireLittleBeforeLogin(connection, messageBytes);
          return;
        }
        try {
          connection.pipeline.receive(message);
          this.#requireLittleBeforeLogin(connection, messageBytes);
        } catch (error) {
          if (error instanceof ReceiveBufferFullError) this.#overflow(connection);
          else this.#connections.giveUp(connection.pipeline, error);
        }
      },
      drain: (socket) => {
        const { connection } = socket.data;
        try {
          connection?.drained();
        } catch (error) {
          this.#connections.giveUp(connection?.pipeline, error);
        }
      },
      ping: ({ data }, payload) => data.connection && this.#unfinished?.took(data.connection, payload.byteLength),
      pong: ({ data }, payload) => data.connection && this.#unfinished?.took(data.connection, payload.byteLength),
      close: ({ data: { connection } }) => {
        if (connection === undefined) return;
        this.#unfinished?.closed(connection, connection.pipeline.session.address);
        connection.pipeline.closed();
      },
    };
  }

  #open(socket: ServerWebSocket<SocketData>): void {
    socket.binaryType = "uint8array";
    const connection = this.#connections.add(
      this.#connections.openSession(socket.data.address),
      this.#options.frames,
      new ReceiveBuffer(this.#readBufferBytes),
      (options) => new WebSocketConnection(socket, options),
    );
    socket.data.connection = connection;
    this.#unfinished?.opened(connection, socket.data.address);
    if (this.#isStopped) connection.pipeline.disconnect();
  }

  /** `messageBytes`: of the message that has come. The runtime keeps room for the largest of a connection until that ends. */
  #requireLittleBeforeLogin(connection: WebSocketConnection, messageBytes: number): void {
    const { session, parser, isOpen, isLoggingIn } = connection.pipeline;
    // While a login is under way nothing is read; what was read along with it is what one read brings.
    const mayHold = session.user !== undefined || isLoggingIn;
    const heldBytes = Math.max(parser.backlogBytes, messageBytes);
    if (isOpen && !mayHold && heldBytes > anonymousMessageBytesMax) this.#closeHoarder(connection);
  }

  /** Without a login nobody may make the server hold much. */
  #closeHoarder(connection: WebSocketConnection): void {
    const { log, context } = this.#options;
    context.shard.statistics.add("closedBeforeLogin");
    const { address } = connection.pipeline.session;
    const nowMs = performance.now();
    if (nowMs - this.#hoarderToldMs >= hoarderLineMs) {
      this.#hoarderToldMs = nowMs;
      log.warn("closed a client that sent too much before a login", { address, bytesMax: anonymousMessageBytesMax });
    }
    connection.pipeline.terminate();
  }

  #overflow(connection: WebSocketConnection): void {
    const { clientId: client, address } = connection.pipeline.session;
    this.#options.log.warn("closed a client that sends more than its connection may hold", { client, address });
    connection.overflow();
  }
}
