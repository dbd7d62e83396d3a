// Requests to the HTTP API of a test server.
import type { TestServer } from "../support/server.ts";

export interface Answer {
  readonly status: number;
  readonly type: string | null;
  readonly text: string;
  readonly headers: Headers;
  /** The body, if it is JSON. */
  readonly json: unknown;
}

export class HttpTestClient {
  readonly address: string;
  #token = "";

  constructor(server: TestServer) {
    this.address = `http://${server.host}:${server.portOf("http")}`;
  }

  /** A client that is logged in. */
  static async login(server: TestServer, username = "iggy", password = "iggy"): Promise<HttpTestClient> {
    const client = new HttpTestClient(server);
    await client.logIn("/users/login", { username, password });
    return client;
  }

  /** A client that has logged in with a personal access token. */
  static async withPersonalToken(server: TestServer, token: string): Promise<HttpTestClient> {
    const client = new HttpTestClient(server);
    await client.logIn("/personal-access-tokens/login", { token });
    return client;
  }

  /** Goes on with the access token that comes back; throws where there is none. */
  async logIn(path: string, body: unknown): Promise<void> {
    const { status, json } = await this.request("POST", path, body);
    if (status !== 200) throw new Error(`no login: ${JSON.stringify(json)}`);
    this.#token = (json as { access_token: { token: string } }).access_token.token;
  }

  get token(): string {
    return this.#token;
  }

  /** `body`: text as it is, anything else as JSON. Headers given replace the usual ones; undefined takes one away. */
  async request(
    method: string,
    path: string,
    body?: unknown,
    headers: Readonly<Record<string, string | undefined>> = {},
  ): Promise<Answer> {
    const all = {
      ...(this.#token === "" ? {} : { authorization: `Bearer ${this.#token}` }),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...headers,
    };
    const known = Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined);
    const response = await fetch(`${this.address}${path}`, {
      method,
      headers: known,
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const type = response.headers.get("content-type");
    const json: unknown = type === "application/json" && text !== "" ? JSON.parse(text) : undefined;
    return { status: response.status, type, text, headers: response.headers, json };
  }
}
