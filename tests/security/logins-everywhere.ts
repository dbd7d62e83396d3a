// One user, logged in over every transport at once, with its password and with a personal access token.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { encode } from "../../src/protocol/codec.ts";
import { CommandCode, type CommandName } from "../../src/protocol/codes.ts";
import { commandCodecs } from "../../src/protocol/registry.ts";
import { Caller, type RequestOf, requestBytes } from "../commands/caller.ts";
import { globalFlags, permissions } from "../commands/flags.ts";
import { active, loginRequest } from "../commands/world.ts";
import type { TestServer } from "../support/server.ts";
import { WireClient } from "../support/wire-client.ts";
import { HttpTestClient } from "../transport/http-client.ts";
import type { QuicClient } from "../transport/quic-client.ts";

export interface Account {
  readonly id: number;
  readonly name: string;
  readonly password: string;
  readonly token: string;
}

/** One login: a connection, or an access token of the HTTP API. */
export interface Login {
  readonly name: string;
  /** What a request for the list of streams is answered with: 0, an error number, or a status of HTTP. */
  status(): Promise<number>;
}

/** A login over a connection, which takes any command. */
export interface BinaryLogin extends Login {
  ask<N extends CommandName>(name: N, request: RequestOf<N>): Promise<number>;
}

export interface HttpLogin extends Login {
  readonly client: HttpTestClient;
  /** Status of an exchange of the token for a new one. */
  refresh(): Promise<number>;
}

export interface LoginsEverywhere {
  readonly binary: readonly BinaryLogin[];
  readonly http: readonly HttpLogin[];
  readonly all: readonly Login[];
  close(): void;
}

type Shown = Pick<Account, "name" | "password"> | Pick<Account, "token">;

let names = 0;

/** A user with every right. */
export async function createAccount(root: Caller, server: TestServer): Promise<Account> {
  const name = `everywhere-${names++}`;
  const password = `secret of ${name}`;
  const rights = permissions(globalFlags);
  const request = { username: name, password, statusCode: active, permissions: rights };
  const { id } = await root.content("createUser", request);
  const caller = await Caller.withPassword(server, name, password);
  const { token } = await caller.content("createPersonalAccessToken", { name: "first", expiryMicros: 0n });
  caller.close();
  return { id, name, password, token };
}

/** With the password where one is given. Over TCP often enough that both of two shards have some. */
export async function logInEverywhere(server: TestServer, quic: QuicClient, shown: Shown): Promise<LoginsEverywhere> {
  const clients: WireClient[] = [];
  const binary: BinaryLogin[] = [];
  const add = async (name: string, request: (code: number, payload: Uint8Array) => Promise<{ status: number }>) => {
    const ask: BinaryLogin["ask"] = async (command, value) =>
      (await request(CommandCode[command], requestBytes(command, value))).status;
    const status = await ("password" in shown
      ? ask("loginUser", loginRequest(shown.name, shown.password))
      : ask("loginWithPersonalAccessToken", { token: shown.token }));
    if (status !== 0) throw new Error(`${name}: the login was answered with ${status}`);
    binary.push({ name, ask, status: () => ask("getStreams", undefined) });
  };
  for (const transport of ["tcp", "tcp", "tcp", "tcp", "websocket", "websocket"] as const) {
    const client = await WireClient.connect({ host: server.host, port: server.portOf(transport) }, "sdk", {
      transport,
    });
    clients.push(client);
    await client.request(CommandCode.ping, encode(commandCodecs.ping.request, undefined));
    await add(transport, (code, payload) => client.request(code, payload));
  }
  const certPem = readFileSync(join(server.dataPath, "certificates/cert.pem"), "utf8");
  const connection = `quic-${names++}`;
  await quic.open(connection, { port: server.portOf("quic"), certPem });
  await add("quic", (code, payload) => quic.request(connection, code, payload));
  const http = [await logInOverHttp(server, shown)];
  return {
    binary,
    http,
    all: [...binary, ...http],
    close() {
      for (const client of clients) client.close();
    },
  };
}

export async function logInOverHttp(server: TestServer, shown: Shown): Promise<HttpLogin> {
  const client =
    "password" in shown
      ? await HttpTestClient.login(server, shown.name, shown.password)
      : await HttpTestClient.withPersonalToken(server, shown.token);
  return {
    name: "http",
    client,
    status: async () => (await client.request("GET", "/streams")).status,
    refresh: async () => (await client.request("POST", "/users/refresh-token", { token: client.token })).status,
  };
}

/** The outcome of each, by name. */
export async function statusesOf(logins: readonly Login[]): Promise<string[]> {
  return Promise.all(logins.map(async (login) => `${login.name} ${await login.status()}`));
}

/** What `statusesOf` gives where all logins hold, or all have ended. */
export function expectedStatuses(logins: readonly Login[], outcome: "hold" | "over"): string[] {
  const [binary, http] = outcome === "hold" ? [0, 200] : [41, 401];
  return logins.map(({ name }) => `${name} ${name === "http" ? http : binary}`);
}
