// The TCP listener of one shard. Every shard listens on the same port; the kernel spreads the connections.
import { closeSync } from "node:fs";
import type { Socket, SocketHandler, TCPSocketListener } from "bun";
import { formatListenAddress, type ListenAddress } from "../../config/address.ts";
import type { Logger } from "../../observability/log.ts";
import type { FrameKind } from "../../protocol/frame.ts";
import type { ServerContext, Session } from "../../server/index.ts";
import type { FrameMemory, MovedConnection } from "../../shard/index.ts";
import { BusyPoll } from "../busy-poll.ts";
import { stalledFrameMs } from "../session-limits.ts";
import { Connection, type MovedState } from "./connection.ts";

export interface TcpListenerOptions {
  readonly context: ServerContext;
  readonly frameMemory: FrameMemory;
  readonly frames: FrameKind | "auto";
  readonly requestBytesMax: number;
  /** `tcp.socket_migration` */
  readonly canMove: boolean;
  readonly log: Logger;
}

interface SocketData {
  connection: Connection | undefined;
}

const stallCheckMs = 1000;

export class TcpListener {
  readonly #options: TcpListenerOptions;
  readonly #connections = new Set<Connection>();
  /** Adopted connections whose sockets are not open yet. */
  #arrivingCount = 0;
  #listener: TCPSocketListener<SocketData> | undefined;
  #stallTimer: Timer | undefined;
  readonly #busyPoll = new BusyPoll();
  readonly #onSmallExchange = () => this.#busyPoll.touch();
  #hasWarnedLegacy = false;
  #isStopped = false;

  constructor(options: TcpListenerOptions) {
    this.#options = options;
  }

  /** Starts to accept; returns the port, which the system chose where 0 was asked for. Throws if it cannot. */
  listen(address: ListenAddress): number {
    // Not in the runtime's types: several sockets, one for each shard, on one port.
    const options = {
      hostname: address.host,
      port: address.port,
      reusePort: true,
      data: { connection: undefined },
      socket: this.#handlers(),
    };
    const listener = Bun.listen<SocketData>(options);
    this.#listener = listener;
    this.#stallTimer = setInterval(() => this.#closeStalled(), stallCheckMs);
    return listener.port;
  }

  /** Connections that are open, or about to be. */
  get connectionsCount(): number {
    return this.#connections.size + this.#arrivingCount;
  }

  /** No new connections; every open one is told and closed (spec SB 8.10). */
  stop(): void {
    this.#isStopped = true;
    this.#listener?.stop(false);
    clearInterval(this.#stallTimer);
    for (const connection of this.#connections) connection.disconnect();
  }

  /** Cuts what is still there. */
  terminate(): void {
    for (const connection of [...this.#connections]) connection.terminate();
  }

  #handlers(): SocketHandler<SocketData> {
    return {
      open: (socket) => this.#open(socket),
      data: (socket, bytes) => {
        try {
          socket.data.connection?.receive(bytes);
        } catch (error) {
          this.#giveUp(socket, error);
        }
      },
      drain: (socket) => {
        try {
          socket.data.connection?.drained();
        } catch (error) {
          this.#giveUp(socket, error);
        }
      },
      close: (socket) => socket.data.connection?.closed(),
      error: (socket, error) => {
        this.#options.log.debug("connection failed", { client: socket.data.connection?.session.clientId, error });
      },
    };
  }

  /** A bug, or a file that cannot be read in the middle of a reply: this connection ends, nothing else does. */
  #giveUp(socket: Socket<SocketData>, error: unknown): void {
    const { connection } = socket.data;
    this.#options.log.error("closed a connection that could not go on", {
      client: connection?.session.clientId,
      error,
    });
    connection?.terminate();
  }

  #open(socket: Socket<SocketData>): void {
    const { context, frames } = this.#options;
    const address = formatListenAddress({ host: socket.remoteAddress, port: socket.remotePort });
    const session = context.sessions.open("tcp", address);
    this.#attach(socket, session, frames, undefined);
  }

  #attach(
    socket: Socket<SocketData>,
    session: Session,
    frames: FrameKind | "auto",
    unread: Uint8Array | undefined,
  ): Connection {
    const { context, frameMemory, requestBytesMax, canMove, log } = this.#options;
    const connection = new Connection(socket, {
      context,
      session,
      frameMemory,
      frames,
      unread,
      requestBytesMax,
      isPlain: true,
      onSmallExchange: this.#onSmallExchange,
      onLegacyClient: () => this.#warnLegacy(session.address),
      onFault: (code, error) => log.error("request failed", { code, client: session.clientId, error }),
      onClosed: () => {
        this.#connections.delete(connection);
        context.sessions.close(session);
      },
      onMove: canMove
        ? (shardId, moved) => {
            this.#connections.delete(connection);
            context.shard.moveConnection(shardId, moved);
          }
        : undefined,
    });
    this.#connections.add(connection);
    // Each connection has its own data: the object given to listen is shared by all.
    socket.data = { connection };
    return connection;
  }

  /** Goes on with a connection that another shard held. */
  adopt({ fd, state }: MovedConnection): void {
    const { frames, unread, ...moved } = state as MovedState;
    const { sessions } = this.#options.context;
    const session = sessions.adopt(moved.session); // one of this shard's clients from now on
    this.#arrivingCount++;
    // Not in the runtime's types: a socket from a descriptor.
    const options = {
      fd,
      data: { connection: undefined },
      socket: {
        ...this.#handlers(),
        open: (socket: Socket<SocketData>) => {
          this.#arrivingCount--;
          const connection = this.#attach(socket, session, frames, unread);
          if (this.#isStopped) connection.disconnect();
          else connection.start();
        },
      },
    };
    const adopted: Promise<unknown> = Bun.connect<SocketData>(options as never);
    adopted.catch((error: unknown) => {
      this.#arrivingCount--;
      this.#options.log.error("a connection was lost while it moved between shards", {
        client: session.clientId,
        error,
      });
      sessions.close(session);
      closeSync(fd);
    });
  }

  /** A client that leaves a frame half sent must not hold memory that others wait for. */
  #closeStalled(): void {
    if (!this.#options.frameMemory.isShort) return;
    const nowMs = performance.now();
    for (const connection of [...this.#connections]) {
      if (connection.stalledMs(nowMs) < stalledFrameMs) continue;
      this.#options.log.warn("closed a client that stopped in the middle of a request while memory was short", {
        client: connection.session.clientId,
        address: connection.session.address,
      });
      connection.terminate();
    }
  }

  #warnLegacy(address: string): void {
    const level = this.#hasWarnedLegacy ? "debug" : "warn";
    this.#hasWarnedLegacy = true;
    this.#options.log[level](
      "closed a client that speaks the protocol of Iggy 0.9 or later; versions that work: SDKs 0.8, Rust crate iggy 0.10",
      { address },
    );
  }
}
