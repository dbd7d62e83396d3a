import type { Connection } from "../connection.ts";
import { ExtensionCommands } from "../extension-commands.ts";

/** The commands on one connection, without reconnecting. */
export class ConnectionCommands extends ExtensionCommands {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    super();
    this.#connection = connection;
  }

  override exchange(code: number, payload: Uint8Array | readonly Uint8Array[]): Promise<Uint8Array> {
    return this.#connection.request(code, payload);
  }
}
