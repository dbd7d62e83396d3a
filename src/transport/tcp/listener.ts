// The TCP listener of one shard. Every shard listens on the same port; the kernel spreads the connections.
import { closeSync } from "node:fs";
import type { Socket, SocketHandler, TCPSocketListener } from "bun";
import { formatListenAddress, type ListenAddress } from "../../config/address.ts";
import { type CertificatePair, isSamePair } from "../../security/certificates.ts";
import type { Session } from "../../server/index.ts";
import type { MovedConnection } from "../../shard/index.ts";
import { KeptBacklog } from "../backlog.ts";
import { Connections, type TransportOptions } from "../connections.ts";
import type { ConnectionFrames } from "../frame-parser.ts";
import { exchangeListener } from "../listener-exchange.ts";
import { type MovedState, TcpConnection } from "./connection.ts";
import { Handshakes } from "./handshakes.ts";
import { Opening, Strangers } from "./opening.ts";
import { ProxiedOpenings } from "./proxied-openings.ts";
import { applySocketOptions, type SocketOptions } from "./socket-options.ts";

export interface TcpListenerOptions extends TransportOptions {
  /** `tcp.socket_migration` */
  readonly canMove: boolean;
  /** Undefined: as the system has them. */
  readonly socketOptions: SocketOptions | undefined;
  /** Longest time for the handshake of TLS. */
  readonly handshakeTimeoutMs: number;
  /** `tcp.proxy_protocol.trusted` */
  readonly trustedProxies: readonly string[];
  /** Undefined: plain TCP. */
  readonly tls: CertificatePair | undefined;
}

interface SocketData {
  /** Undefined: it is not known whose connection this is. */
  connection: TcpConnection | undefined;
  /** Undefined: it is known what the connection speaks. */
  opening: Opening | undefined;
}

export class TcpListener {
  readonly #options: TcpListenerOptions;
  readonly #connections: Connections;
  readonly #isPlain: boolean;
  readonly #handshakes: Handshakes<Socket<SocketData>>;
  readonly #strangers: Strangers;
  readonly #proxied: ProxiedOpenings<SocketData>;
  #tls: CertificatePair | undefined;
  #address: ListenAddress | undefined;
  #listener: TCPSocketListener<SocketData> | undefined;
  #isStopped = false;

  constructor(options: TcpListenerOptions) {
    this.#options = options;
    this.#tls = options.tls;
    this.#isPlain = options.tls === undefined;
    this.#connections = new Connections("tcp", options);
    this.#strangers = new Strangers(options.log);
    this.#proxied = new ProxiedOpenings({
      trusted: options.trustedProxies,
      timeoutMs: options.handshakeTimeoutMs,
      onClient: (socket, address, bytes) => this.#openProxied(socket, address, bytes),
      log: options.log,
    });
    this.#handshakes = new Handshakes({
      timeoutMs: options.handshakeTimeoutMs,
      onLate: (socket) => this.#closeLate(socket),
    });
  }

  /** Starts to accept; returns the port, which the system chose where 0 was asked for. Throws if it cannot. */
  listen(address: ListenAddress): number {
    this.#listener = this.#bind(address);
    this.#address = { host: address.host, port: this.#listener.port };
    this.#connections.start();
    return this.#listener.port;
  }

  /** New connections get this certificate; open ones do not notice. */
  reloadTls(pair: CertificatePair): void {
    if (this.#tls === undefined || this.#isStopped || isSamePair(this.#tls, pair)) return;
    this.#tls = pair;
    const address = this.#address;
    const previous = this.#listener;
    if (address === undefined || previous === undefined) return;
    this.#listener = exchangeListener({
      address,
      previous,
      bind: (at) => this.#bind(at),
      stop: (listener) => listener.stop(false),
    });
  }

  get connectionsCount(): number {
    return this.#connections.count;
  }

  /** No new connections; every open one is told and closed (spec SB 8.10). */
  stop(): void {
    this.#isStopped = true;
    this.#listener?.stop(false);
    this.#proxied.closeAll();
    this.#connections.disconnectAll();
  }

  /** Cuts what is still there. */
  terminate(): void {
    this.#connections.terminateAll();
  }

  #bind({ host, port }: ListenAddress): TCPSocketListener<SocketData> {
    // Not in the runtime's types: several sockets, one for each shard, on one port.
    const options = {
      hostname: host,
      port,
      reusePort: true,
      allowHalfOpen: true,
      data: { connection: undefined, opening: undefined },
      socket: this.#handlers(),
      ...(this.#tls === undefined ? {} : { tls: { cert: this.#tls.certPem, key: this.#tls.keyPem } }),
    };
    return Bun.listen<SocketData>(options);
  }

  #handlers(): SocketHandler<SocketData> {
    return {
      open: (socket) => this.#open(socket),
      handshake: (socket, isDone, error) => {
        this.#handshakes.ended(socket);
        const address = socket.data.connection?.pipeline.session.address;
        if (!isDone && error && address !== undefined) this.#strangers.failed(error, address);
      },
      data: (socket, bytes) => {
        const { connection, opening } = socket.data;
        try {
          if (connection === undefined) this.#proxied.receive(socket, bytes);
          else if (opening === undefined) connection.receive(bytes);
          else this.#receiveFirst(socket.data, connection, opening, bytes);
        } catch (error) {
          this.#connections.giveUp(connection?.pipeline, error);
          if (connection === undefined) socket.terminate();
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
      end: (socket) => {
        const { connection } = socket.data;
        if (connection === undefined) socket.terminate();
        else connection.pipeline.ended();
      },
      close: (socket) => {
        this.#handshakes.ended(socket);
        this.#proxied.gone(socket);
        socket.data.connection?.pipeline.closed();
      },
      error: (socket, error) => {
        const client = socket.data.connection?.pipeline.session.clientId;
        this.#options.log.debug("connection failed", { client, error });
      },
    };
  }

  #open(socket: Socket<SocketData>): void {
    // Each connection has its own data: the object given to listen is shared by all.
    socket.data = { connection: undefined, opening: undefined };
    if (this.#proxied.takes(socket)) return;
    this.#admit(socket, formatListenAddress({ host: socket.remoteAddress, port: socket.remotePort }));
  }

  #openProxied(socket: Socket<SocketData>, address: string, bytes: Uint8Array): void {
    this.#admit(socket, address);
    const { connection, opening } = socket.data;
    if (connection === undefined || opening === undefined || bytes.byteLength === 0) return;
    this.#receiveFirst(socket.data, connection, opening, bytes);
  }

  #admit(socket: Socket<SocketData>, address: string): void {
    const { socketOptions, frames } = this.#options;
    if (!this.#connections.admits(address)) {
      socket.terminate();
      return;
    }
    if (socketOptions !== undefined) applySocketOptions(socket, socketOptions);
    this.#attach(socket, this.#connections.openSession(address), frames, new KeptBacklog());
    socket.data.opening = new Opening();
    if (!this.#isPlain) this.#handshakes.began(socket);
  }

  #receiveFirst(data: SocketData, connection: TcpConnection, opening: Opening, bytes: Uint8Array): void {
    const decided = opening.take(bytes);
    if (decided === undefined) return;
    data.opening = undefined;
    if (decided.foreign === undefined) {
      connection.receive(decided.bytes);
      return;
    }
    this.#strangers.met(decided.foreign, connection.pipeline.session.address);
    this.#options.context.shard.statistics.add("closedBeforeLogin");
    connection.pipeline.terminate();
  }

  #closeLate(socket: Socket<SocketData>): void {
    const { log, context } = this.#options;
    context.shard.statistics.add("closedBeforeLogin");
    log.debug("closed a client whose TLS handshake took too long", {
      client: socket.data.connection?.pipeline.session.clientId,
    });
    socket.data.connection?.pipeline.terminate();
  }

  #attach(
    socket: Socket<SocketData>,
    session: Session,
    frames: ConnectionFrames | "auto",
    backlog: KeptBacklog,
  ): TcpConnection {
    const { canMove, context } = this.#options;
    const onMove = (shardId: number, moved: MovedConnection) => {
      this.#connections.forget(connection.pipeline);
      context.shard.moveConnection(shardId, moved);
    };
    const own = { isPlain: this.#isPlain, onMove: canMove && this.#isPlain ? onMove : undefined };
    const connection: TcpConnection = this.#connections.add(
      session,
      frames,
      backlog,
      (options) => new TcpConnection(socket, own, options),
    );
    socket.data = { connection, opening: undefined };
    return connection;
  }

  /** Goes on with a connection that another shard held. */
  adopt({ fd, state }: MovedConnection): void {
    const { frames, unread, subscriptions, ...moved } = state as MovedState;
    const session = this.#connections.expect(moved.session);
    const desk = this.#options.context.subscriptions;
    // Not in the runtime's types: a socket from a descriptor.
    const options = {
      fd,
      allowHalfOpen: true,
      data: { connection: undefined, opening: undefined },
      socket: {
        ...this.#handlers(),
        open: (socket: Socket<SocketData>) => {
          this.#connections.arrived();
          const { pipeline } = this.#attach(socket, session, frames, new KeptBacklog(unread));
          desk.resume(session, pipeline.pushes, subscriptions);
          if (this.#isStopped) pipeline.disconnect();
          else pipeline.start();
        },
      },
    };
    const adopted: Promise<unknown> = Bun.connect<SocketData>(options as never);
    adopted.catch((error: unknown) => {
      this.#connections.lost(session);
      desk.lost(subscriptions);
      const client = session.clientId;
      this.#options.log.error("a connection was lost while it moved between shards", { client, error });
      closeSync(fd);
    });
  }
}
