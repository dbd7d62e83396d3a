// A socket at /ui/socket: the binary protocol of 0.8, already signed in. What is behind it is what is behind the port of WebSocket.
import { signedOutCloseCode } from "../../../protocol/console/session.ts";
import type { ServerContext } from "../../../server/index.ts";
import type { Connections } from "../../connections.ts";
import { WebSocketConnection } from "../../websocket/connection.ts";
import { ReceiveBuffer, ReceiveBufferFullError } from "../../websocket/receive-buffer.ts";
import type { SignIns } from "./sign-ins.ts";
import type { ConsoleSocket, SocketHandler, SocketOpener } from "./socket-handler.ts";

export interface BinarySocketOptions {
  readonly context: ServerContext;
  readonly connections: Connections;
  readonly signIns: SignIns;
}

export class BinarySocket implements SocketHandler {
  readonly #options: BinarySocketOptions;
  readonly #opener: SocketOpener;
  #connection: WebSocketConnection | undefined;
  #forget = (): void => undefined;

  constructor(options: BinarySocketOptions, opener: SocketOpener) {
    this.#options = options;
    this.#opener = opener;
  }

  open(socket: ConsoleSocket): void {
    const { context, connections, signIns } = this.#options;
    const { address, caller, isReadOnly } = this.#opener;
    const login = caller.session.user;
    const user = login && context.shard.state.users.byId.get(login.id);
    const signOut = () => socket.close(signedOutCloseCode, "signed out");
    if (login === undefined || user === undefined) {
      signOut(); // gone since the handshake
      return;
    }
    const session = connections.openSession(address);
    context.sessions.isLookedAfter(session);
    context.sessions.logIn(session, user, login.tokenHash);
    session.isReadOnly = isReadOnly;
    session.isOfConsole = true;
    // Its first bytes need not tell what it speaks: the page is our own.
    this.#connection = connections.add(
      session,
      "sdk",
      new ReceiveBuffer(),
      (options) => new WebSocketConnection(socket, options),
    );
    context.sessions.whenLoginEnds(session, signOut);
    this.#forget = signIns.add(caller, signOut);
  }

  message(message: string | Uint8Array): void {
    const connection = this.#connection;
    // Text is ignored (spec BP 2.5).
    if (connection === undefined || typeof message === "string") return;
    try {
      connection.pipeline.receive(message);
    } catch (error) {
      if (error instanceof ReceiveBufferFullError) connection.overflow();
      else this.#options.connections.giveUp(connection.pipeline, error);
    }
  }

  drained(): void {
    try {
      this.#connection?.drained();
    } catch (error) {
      this.#options.connections.giveUp(this.#connection?.pipeline, error);
    }
  }

  closed(): void {
    this.#forget();
    this.#connection?.pipeline.closed();
  }
}
