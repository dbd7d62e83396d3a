// How connections log in: as last time. The connections of a client share this, so that a new password is used by all of them.

import { login, loginWithToken } from "../commands/basic.ts";
import type { Exchange } from "../commands/command.ts";
import type { Credentials } from "../connection-string.ts";
import { type IdentifierInput, identifierOf } from "../identifiers.ts";

/** A function is asked before every login, so that short-lived tokens can be renewed. */
export type CredentialsSource = Credentials | (() => Credentials | Promise<Credentials>);

export class Logins {
  #source: CredentialsSource | undefined;
  #username: string | undefined;
  #userId: number | undefined;

  constructor(source: CredentialsSource | undefined) {
    this.#source = source;
  }

  get isNeeded(): boolean {
    return this.#source !== undefined;
  }

  /** Who is logged in; undefined for a token. */
  get username(): string | undefined {
    return this.#username;
  }

  /** Logs in, if there is something to log in with. The errors of the command, or of the function for credentials. */
  async login(exchange: Exchange): Promise<void> {
    const source = this.#source;
    if (source === undefined) return;
    const credentials = typeof source === "function" ? await source() : source;
    const userId =
      "token" in credentials
        ? await loginWithToken(exchange, credentials.token)
        : await login(exchange, credentials.username, credentials.password);
    if (this.#source === source) this.#note(credentials, userId);
  }

  /** Somebody has logged in by hand: that is how it is done from now on. */
  loggedIn(credentials: Credentials, userId: number): void {
    this.#source = credentials;
    this.#note(credentials, userId);
  }

  loggedOut(): void {
    this.#source = undefined;
    this.#username = undefined;
    this.#userId = undefined;
  }

  renamed(user: IdentifierInput, username: string): void {
    if (!this.#isOwn(user)) return;
    this.#username = username;
    const source = this.#source;
    if (typeof source === "object" && "username" in source) this.#source = { ...source, username };
  }

  passwordChanged(user: IdentifierInput, password: string): void {
    const source = this.#source;
    if (!this.#isOwn(user) || typeof source !== "object" || !("password" in source)) return;
    this.#source = { ...source, password };
  }

  #note(credentials: Credentials, userId: number): void {
    this.#userId = userId;
    this.#username = "username" in credentials ? credentials.username : undefined;
  }

  #isOwn(user: IdentifierInput): boolean {
    const { kind, value } = identifierOf(user);
    return value === (kind === "numeric" ? this.#userId : this.#username);
  }
}
