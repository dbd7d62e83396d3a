// `whippet context …`: named servers.

import { type Command, localCommand } from "../command.ts";
import type { Context } from "../contexts.ts";
import { isOn, transportNames } from "../global-options.ts";
import { listMode, oneOf, option, required } from "../parameters.ts";
import { splitUrl, urlOfPlace } from "../target.ts";
import { nonEmpty, text } from "../values.ts";

const contextName = required(nonEmpty, "Name of the context", { completes: "contexts" });
const masked = "***";

/** Where a context leads, without who logs in. */
function addressOf(context: Context): string {
  return context.url === undefined ? urlOfPlace(context) : splitUrl(context.url).url;
}

/** Who logs in there; undefined for nobody, or a token. */
function userOf(context: Context): string | undefined {
  const login = context.url === undefined ? undefined : splitUrl(context.url).login;
  return (login !== undefined && "username" in login ? login.username : undefined) ?? context.username;
}

/** What is shown of a context: no password and no token. */
function shownUrl(url: string): string {
  const { url: bare, login } = splitUrl(url);
  if (login === undefined) return bare;
  const who = "token" in login ? masked : `${login.username}${login.password === undefined ? "" : `:${masked}`}`;
  return bare.replace("://", `://${who}@`);
}

const list = localCommand({
  words: ["context", "list"],
  alias: "l",
  summary: "List all contexts; the one in use has a star",
  examples: ["context list", "context list -l list"],
  options: { listMode },
  async run(args, output, session) {
    const contexts = [...(await session.contexts.all())];
    const active = await session.contextName();
    await output.as(args.listMode).show({
      document: contexts.map(([name, context]) => ({
        name,
        is_active: name === active,
        username: userOf(context) ?? null,
        url: addressOf(context),
      })),
      shown: [
        {
          columns: [{ head: "" }, { head: "NAME" }, { head: "USER" }, { head: "ADDRESS" }],
          rows: contexts.map(([name, context]) => [
            name === active ? "*" : "",
            name,
            userOf(context) ?? "–",
            addressOf(context),
          ]),
        },
      ],
      list: contexts.map(([name]) => [name === active ? `${name}*` : name]),
    });
  },
});

const show = localCommand({
  words: ["context", "show"],
  summary: "Show what a context says, without its secrets",
  examples: ["context show prod", "context show default --json"],
  arguments: { contextName },
  async run(args, output, session) {
    const context = await session.contexts.get(args.contextName);
    const fields = Object.entries({
      ...context,
      ...(context.url === undefined ? {} : { url: shownUrl(context.url) }),
      ...(context.password === undefined ? {} : { password: masked }),
      ...(context.token === undefined ? {} : { token: masked }),
      ...(context.encryption_key === undefined ? {} : { encryption_key: masked }),
    });
    const width = Math.max(0, ...fields.map(([name]) => name.length));
    const lines = fields.map(([name, value]) => `${name.padEnd(width)}  ${value}`);
    await output.show({
      document: { name: args.contextName, ...Object.fromEntries(fields) },
      shown: lines.length === 0 ? [`${args.contextName} has nothing but defaults: ${addressOf(context)}`] : lines,
      list: fields.map(([name, value]) => [name, String(value)]),
    });
  },
});

const use = localCommand({
  words: ["context", "use"],
  alias: "u",
  summary: "Use a context from now on",
  examples: ["context use prod", "context use default"],
  arguments: { contextName },
  async run(args, output, session) {
    await session.contexts.use(args.contextName);
    await output.say(`${args.contextName} is in use: ${addressOf(await session.contexts.get(args.contextName))}.`);
  },
});

const create = localCommand({
  words: ["context", "create"],
  alias: "c",
  summary: "Keep a server and who logs in there under a name",
  details: "Better than a password or a token here is whippet login, which keeps a token that ends, in the key ring.",
  examples: [
    "context create prod --url iggy+tls://ann@broker:8090",
    "context create production --transport tcp --tcp-server-address 10.0.0.1:8090",
    "context create dev --transport http --http-api-url http://localhost:3000",
  ],
  arguments: { contextName: required(nonEmpty, "What it is called") },
  options: {
    url: option("--url <URL>", nonEmpty, "Connection string: iggy://USER@HOST:8090, iggy+tls:, iggy+ws:, iggy+http:"),
    transport: option("--transport <NAME>", oneOf(transportNames), "tcp, quic, http or ws", {
      choices: transportNames,
    }),
    tcpServerAddress: option("--tcp-server-address <HOST:PORT>", nonEmpty, "Where TCP connects to"),
    httpApiUrl: option("--http-api-url <URL>", nonEmpty, "Where HTTP connects to"),
    quicServerAddress: option("--quic-server-address <HOST:PORT>", nonEmpty, "Where QUIC connects to"),
    websocketServerAddress: option("--websocket-server-address <HOST:PORT>", nonEmpty, "Where WebSocket connects to"),
    tcpTlsEnabled: option("--tcp-tls-enabled <BOOLEAN>", text, "TLS over TCP"),
    username: option("-u, --username <NAME>", nonEmpty, "Who logs in"),
    password: option("-p, --password <PASSWORD>", text, "Kept in the file"),
    token: option("-t, --token <TOKEN>", nonEmpty, "Personal access token; kept in the file"),
    tokenName: option("-n, --token-name <NAME>", nonEmpty, "Name of a token that pat create -s has kept"),
  },
  async run(args, output, session) {
    if (args.url !== undefined) splitUrl(args.url); // what cannot be read is not kept
    const isTls = isOn(args.tcpTlsEnabled);
    const fields = {
      url: args.url,
      transport: args.transport,
      username: args.username,
      password: args.password,
      token: args.token,
      token_name: args.tokenName,
      tcp_server_address: args.tcpServerAddress,
      tcp_tls_enabled: isTls,
      http_api_url: args.httpApiUrl,
      quic_server_address: args.quicServerAddress,
      websocket_server_address: args.websocketServerAddress,
    };
    const given = Object.entries(fields).filter(([, value]) => value !== undefined);
    await session.contexts.create(args.contextName, Object.fromEntries(given));
    await output.say(`Created context ${args.contextName}. Use it: whippet context use ${args.contextName}`);
  },
});

const remove = localCommand({
  words: ["context", "delete"],
  alias: "d",
  summary: "Delete a context; the default one is used if it was in use",
  examples: ["context delete prod", "ctx d prod"],
  arguments: { contextName },
  async run(args, output, session) {
    await session.contexts.delete(args.contextName);
    await output.say(`Deleted context ${args.contextName}.`);
  },
});

export const commands: readonly Command[] = [list, show, use, create, remove];
