// The HTTP API as a connection: each request is decoded, sent as JSON, and its answer encoded as the reply of the binary protocol,
// so that everything above is the same for all transports. One request after the other, in their order, as on a connection that
// carries frames; requests of several connections run side by side.

import { decode, encode } from "../../protocol/codec.ts";
import { CommandCode, commandNameOf } from "../../protocol/codes.ts";
import { type ErrorName, IggyError } from "../../protocol/errors.ts";
import { commandCodecs } from "../../protocol/registry.ts";
import type { ClientTlsOptions, Connection } from "../connection/connection.ts";
import { ConnectionLostError } from "../connection/connection-lost-error.ts";
import { withResolvers } from "../with-resolvers.ts";
import { JsonObject, jsonText, parseJson } from "./json.ts";
import { type HttpRequest, type Route, routes } from "./routes.ts";

export type HttpConnectionOptions = {
  /** `http://host:port` or `https://host:port`. */
  readonly origin: string;
  /** For `https:`, outside of browsers. */
  readonly tls?: ClientTlsOptions;
};

/** Id of the general "not found", for which the error table has no number (spec HA 3.4). */
const notFoundId = 404;
const noBytes = new Uint8Array(0);
const namesByStatus: Readonly<Record<number, ErrorName>> = {
  401: "Unauthenticated",
  404: "ResourceNotFound",
  413: "TooBigMessagePayload",
};
const loginCodes: ReadonlySet<number> = new Set([CommandCode.loginUser, CommandCode.loginWithPersonalAccessToken]);

export class HttpConnection implements Connection {
  readonly #options: HttpConnectionOptions;
  readonly #ending = withResolvers<void>();
  readonly #going = new AbortController();
  #token = "";
  /** Whether the token was good for something: after that a refusal of it means that its time is over. */
  #isTokenProven = false;
  #last: Promise<unknown> = Promise.resolve();
  #inFlightCount = 0;
  #receivedBytes = 0;

  /** Nothing is sent yet. */
  constructor(options: HttpConnectionOptions) {
    this.#options = options;
  }

  get closed(): Promise<void> {
    return this.#ending.promise;
  }

  get isClosed(): boolean {
    return this.#going.signal.aborted;
  }

  get inFlightCount(): number {
    return this.#inFlightCount;
  }

  get receivedBytes(): number {
    return this.#receivedBytes;
  }

  request(code: number, payload: Uint8Array | readonly Uint8Array[]): Promise<Uint8Array> {
    this.#inFlightCount++;
    const reply = this.#last.then(() => this.#exchange(code, joined(payload)));
    const settled = () => {
      this.#inFlightCount--;
    };
    this.#last = reply.then(settled, settled);
    return reply;
  }

  close(): void {
    if (this.isClosed) return;
    this.#going.abort();
    this.#ending.resolve();
  }

  async #exchange(code: number, payload: Uint8Array): Promise<Uint8Array> {
    if (this.isClosed) throw new ConnectionLostError(false);
    const name = commandNameOf(code);
    // Commands of our own go over connections.
    if (name === undefined) throw new IggyError("InvalidCommand");
    // The compiler cannot follow that route and codecs are those of one name.
    const route = (routes as Readonly<Record<string, Route<unknown, unknown>>>)[name];
    if (route === undefined) throw new IggyError("FeatureUnavailable", [`${name} needs TCP or WebSocket`]);
    const { request, reply } = commandCodecs[name];
    const asked = decode<unknown>(request, payload);
    const response = await this.#fetch(route.request(asked));
    if (code === CommandCode.getSnapshot && response.ok) return response.bytes;
    const text = new TextDecoder().decode(response.bytes);
    if (!response.ok) {
      if (route.isSearch && response.status === 404) return noBytes;
      throw this.#refusal(response.status, text);
    }
    this.#isTokenProven = this.#token !== "";
    if (code === CommandCode.logoutUser) this.#token = "";
    if (route.reply === undefined) return noBytes;
    const json = parseJson(text);
    if (loginCodes.has(code)) {
      this.#token = new JsonObject(json).object("access_token").text("token");
      this.#isTokenProven = false;
    }
    return encode<unknown>(reply, await this.#whole(route, asked, route.reply(json)));
  }

  /** With what the answer leaves out, where the user may see that. */
  async #whole<Request, Reply>(route: Route<Request, Reply>, asked: Request, reply: Reply): Promise<Reply> {
    const request = route.more?.request(asked, reply);
    if (request === undefined) return reply;
    const { ok, bytes } = await this.#fetch(request);
    return ok && route.more !== undefined
      ? route.more.reply(asked, reply, parseJson(new TextDecoder().decode(bytes)))
      : reply;
  }

  async #fetch({ method, path, body }: HttpRequest) {
    const { origin, tls } = this.#options;
    const headers = {
      ...(this.#token === "" ? {} : { authorization: `Bearer ${this.#token}` }),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    };
    const { signal } = this.#going;
    try {
      const response = await fetch(`${origin}${path}`, {
        method,
        headers,
        signal,
        ...(body === undefined ? {} : { body: jsonText(body) }),
        ...(tls === undefined ? {} : { tls: tlsOptions(tls) }),
      });
      const bytes = new Uint8Array(await response.arrayBuffer());
      this.#receivedBytes += bytes.length + 1; // an answer without content is a sign of life, too
      return { ok: response.ok, status: response.status, bytes };
    } catch (cause) {
      this.close();
      throw new ConnectionLostError(true, { cause });
    }
  }

  /** The error of an answer that is none of success; what the server wrote is its cause. */
  #refusal(status: number, text: string): IggyError {
    const cause = new Error(`HTTP status ${status}: ${text}`);
    // Nothing was carried out: a session logs in anew, and sends it again.
    if (status === 401 && this.#isTokenProven) {
      this.close();
      return new ConnectionLostError(false, { cause });
    }
    return new IggyError(errorNameOf(text) ?? namesByStatus[status] ?? "HttpError", [], { cause });
  }
}

/** Undefined where the answer is a text, or names no error of the table. */
function errorNameOf(text: string): ErrorName | undefined {
  try {
    const id = new JsonObject(JSON.parse(text)).number("id");
    return id === notFoundId ? undefined : IggyError.ofCode(id).errorName;
  } catch {
    return undefined; // the status says what there is to say
  }
}

function joined(payload: Uint8Array | readonly Uint8Array[]): Uint8Array {
  if (payload instanceof Uint8Array) return payload;
  const bytes = new Uint8Array(payload.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of payload) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function tlsOptions({ ca, serverName, verify }: ClientTlsOptions) {
  return {
    rejectUnauthorized: verify ?? true,
    ...(ca === undefined ? {} : { ca }),
    ...(serverName === undefined ? {} : { serverName }),
  };
}
