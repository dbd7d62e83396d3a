// What a browser does at the console of a test server, request by request: with the cookie that it was given, and the headers
// that a browser adds.
import type { TestServer } from "../support/server.ts";

export interface ConsoleAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body, if it is JSON. */
  readonly json: unknown;
}

/** How a socket ended, or that it could not be opened. */
export interface SocketEnd {
  readonly code: number;
  readonly wasOpen: boolean;
}

export class ConsoleTestClient {
  readonly origin: string;
  cookie = "";

  constructor(server: TestServer) {
    this.origin = `http://${server.host}:${server.portOf("http")}`;
  }

  static async signIn(server: TestServer, body: object = { username: "iggy", password: "iggy" }) {
    const client = new ConsoleTestClient(server);
    const answer = await client.post(body);
    if (answer.status !== 200) throw new Error(`no sign-in: ${answer.text}`);
    return client;
  }

  /** Another window: the same cookie. */
  clone(server: TestServer): ConsoleTestClient {
    const other = new ConsoleTestClient(server);
    other.cookie = this.cookie;
    return other;
  }

  /** `headers`: undefined takes one away. */
  async request(
    method: string,
    path: string,
    { body, headers = {} }: { body?: string; headers?: Readonly<Record<string, string | undefined>> } = {},
  ): Promise<ConsoleAnswer> {
    const own = {
      "sec-fetch-site": "same-origin",
      ...(method === "GET" ? {} : { origin: this.origin, "content-type": "application/json" }),
      ...(this.cookie === "" ? {} : { cookie: this.cookie }),
    };
    const given = Object.entries({ ...own, ...headers }).filter((entry): entry is [string, string] => !!entry[1]);
    const response = await fetch(`${this.origin}${path}`, { method, headers: given, ...(body && { body }) });
    const text = await response.text();
    const set = response.headers.get("set-cookie");
    if (set !== null) this.cookie = /max-age=0/i.test(set) ? "" : set.slice(0, set.indexOf(";"));
    const isJson = response.headers.get("content-type")?.startsWith("application/json") && text !== "";
    return { status: response.status, headers: response.headers, text, json: isJson ? JSON.parse(text) : undefined };
  }

  post(body: object, headers: Readonly<Record<string, string | undefined>> = {}): Promise<ConsoleAnswer> {
    return this.request("POST", "/ui/api/session", { body: JSON.stringify(body), headers });
  }

  session(): Promise<ConsoleAnswer> {
    return this.request("GET", "/ui/api/session");
  }

  /** The socket of the page; undefined takes a header away. */
  socket(headers: Readonly<Record<string, string | undefined>> = {}): TestSocket {
    const own = { origin: this.origin, ...(this.cookie === "" ? {} : { cookie: this.cookie }) };
    const given = Object.entries({ ...own, ...headers }).filter((entry): entry is [string, string] => !!entry[1]);
    return new TestSocket(`${this.origin.replace("http", "ws")}/ui/socket`, Object.fromEntries(given));
  }
}

/** One socket: whole replies, one for each request. */
export class TestSocket {
  readonly opened: Promise<boolean>;
  readonly ended: Promise<SocketEnd>;
  readonly #socket: WebSocket;
  readonly #waiting: ((reply: Uint8Array) => void)[] = [];

  constructor(url: string, headers: Readonly<Record<string, string>>) {
    const options: Bun.WebSocketOptions = { headers };
    this.#socket = new WebSocket(url, options);
    this.#socket.binaryType = "arraybuffer";
    const opened = Promise.withResolvers<boolean>();
    const ended = Promise.withResolvers<SocketEnd>();
    let wasOpen = false;
    this.#socket.onopen = () => {
      wasOpen = true;
      opened.resolve(true);
    };
    this.#socket.onclose = ({ code }) => {
      opened.resolve(false);
      ended.resolve({ code, wasOpen });
    };
    this.#socket.onmessage = ({ data }: MessageEvent<ArrayBuffer>) => this.#waiting.shift()?.(new Uint8Array(data));
    this.opened = opened.promise;
    this.ended = ended.promise;
  }

  /** The next message, which is the reply where requests go one at a time. */
  exchange(frame: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
    const reply = new Promise<Uint8Array>((resolve) => this.#waiting.push(resolve));
    this.#socket.send(frame);
    return reply;
  }

  close(): void {
    this.#socket.close();
  }
}
