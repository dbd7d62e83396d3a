// What the runtime calls for a socket of the console, whichever of the two kinds it is.
import type { ServerWebSocket } from "bun";
import type { Caller } from "../auth/access-tokens.ts";

export interface SocketHandler {
  open(socket: ConsoleSocket): void;
  message(message: string | Uint8Array): void;
  /** The socket takes more again. */
  drained(): void;
  closed(): void;
}

/** What the runtime keeps with a socket. */
export interface ConsoleSocketData {
  readonly handler: SocketHandler;
}

export type ConsoleSocket = ServerWebSocket<ConsoleSocketData>;

/** Who opens a socket. */
export interface SocketOpener {
  /** `ip:port` */
  readonly address: string;
  readonly caller: Caller;
  readonly isReadOnly: boolean;
}
