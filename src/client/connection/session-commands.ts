import type { ExchangeOptions } from "../command-sender.ts";
import { ExtensionCommands } from "../extension-commands.ts";
import type { Session } from "./session.ts";

/** The commands over a session: they wait for a connection, and what can be is repeated. */
export class SessionCommands extends ExtensionCommands {
  readonly #session: Session;

  constructor(session: Session) {
    super();
    this.#session = session;
  }

  override exchange(
    code: number,
    payload: Uint8Array | readonly Uint8Array[],
    options?: ExchangeOptions,
  ): Promise<Uint8Array> {
    return this.#session.exchange(code, payload, options);
  }
}
