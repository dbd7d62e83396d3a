// The options of the whole program, and what they say.

import { formats } from "./output/output.ts";
import type { Option } from "./parameter.ts";
import { flag, oneOf, option, repeated } from "./parameters.ts";
import { durationMicros, nonEmpty, text } from "./values.ts";

export const transportNames = ["tcp", "quic", "http", "ws"] as const;
export type TransportName = (typeof transportNames)[number];

const colors = ["auto", "always", "never"] as const;
const shells = ["bash", "zsh", "fish", "powershell", "elvish"] as const;

/** Those of the original: they stand before the command. */
export const originalOptions = {
  quiet: flag("-q, --quiet", "Write no data to stdout"),
  debug: option("-d, --debug <FILE>", nonEmpty, "Append requests and times to FILE; never secrets"),
  username: option("-u, --username <NAME>", nonEmpty, "Who logs in"),
  password: option(
    "-p, --password <PASSWORD>",
    text,
    "Visible to others on this machine: better asked for, or in IGGY_PASSWORD",
  ),
  token: option("-t, --token <TOKEN>", nonEmpty, "Log in with a personal access token"),
  tokenName: option("-n, --token-name <NAME>", nonEmpty, "Log in with a token that `pat create -s` has kept"),
  transport: option("--transport <NAME>", oneOf(transportNames), "tcp, quic, http or ws", { choices: transportNames }),
  encryptionKey: option("--encryption-key <KEY>", nonEmpty, "Key of payloads, 32 bytes in base64"),
  generate: option("--generate <SHELL>", oneOf(shells), "The same as: whippet completion SHELL", { choices: shells }),
  tcpServerAddress: option("--tcp-server-address <HOST:PORT>", nonEmpty, "Where TCP connects to"),
  tcpTlsEnabled: option("--tcp-tls-enabled [BOOLEAN]", text, "TLS over TCP"),
  tcpTlsDomain: option("--tcp-tls-domain <NAME>", nonEmpty, "Name that the certificate must have"),
  httpApiUrl: option("--http-api-url <URL>", nonEmpty, "Where HTTP connects to"),
  quicServerAddress: option("--quic-server-address <HOST:PORT>", nonEmpty, "Where QUIC connects to"),
  quicServerName: option("--quic-server-name <NAME>", nonEmpty, "Name that the certificate must have"),
  quicValidateCertificate: option("--quic-validate-certificate [BOOLEAN]", text, "Whether QUIC checks the certificate"),
  websocketServerAddress: option("--websocket-server-address <HOST:PORT>", nonEmpty, "Where WebSocket connects to"),
} as const;

/** Buffers and repeats are the client's own; these are read, so that command lines for the original work. */
const ignoredNames = [
  "credentials-username",
  "credentials-password",
  "http-retries",
  "tcp-reconnection-max-retries",
  "tcp-reconnection-interval",
  "quic-client-address",
  "quic-reconnection-max-retries",
  "quic-reconnection-interval",
  "quic-max-concurrent-bidi-streams",
  "quic-datagram-send-buffer-size",
  "quic-initial-mtu",
  "quic-send-window",
  "quic-receive-window",
  "quic-response-buffer-size",
  "quic-keep-alive-interval",
  "quic-max-idle-timeout",
  "websocket-reconnection-max-retries",
  "websocket-reconnection-interval",
] as const;

/** Of the original, without an effect. */
export const ignoredOptions = ignoredNames.map((name) =>
  option(`--${name} <VALUE>`, text, "Read for command lines of the original; without effect", { isIgnored: true }),
);

/** New ones: they may stand behind the command too. */
export const everywhereOptions = {
  url: option("--url <URL>", nonEmpty, "Where to connect, as iggy://USER@HOST:8090, iggy+tls:, iggy+ws: or iggy+http:"),
  context: option("--context <NAME>", nonEmpty, "Use this context (whippet context list)"),
  json: flag("--json", "The same as --format json"),
  format: option("--format <FORMAT>", oneOf(formats), "table, list, json, ndjson or toml", { choices: formats }),
  color: option("--color <WHEN>", oneOf(colors), "auto, always or never", { choices: colors }),
  noPager: flag("--no-pager", "Write long tables to the terminal in one go"),
  yes: flag("--yes", "Do not ask before something is deleted"),
  timeout: option("--timeout <TIME>", durationMicros, "How long to wait for the server (30s)"),
  insecure: flag("--insecure", "Take any certificate"),
  ca: repeated("--ca <FILE>", nonEmpty, "Trust the certificates in this PEM file"),
} as const;

/** `-q` and `--quiet` of `-q, --quiet <X>`. */
export function flagNames(flags: string): string[] {
  return flags.match(/(?<![\w-])--?[\w-]+/g) ?? [];
}

/** Those of `options` whose names no option in `own`, those of a command, has: a command's own ones win. */
export function withoutThoseOf(
  own: readonly Option<unknown>[],
  options: readonly Option<unknown>[],
): Option<unknown>[] {
  const taken = new Set(own.flatMap(({ flags }) => flagNames(flags)));
  return options.filter(({ flags }) => !flagNames(flags).some((name) => taken.has(name)));
}

type ValuesOf<T> = {
  readonly [Name in keyof T]: T[Name] extends { read(texts: undefined): infer Value } ? Value : never;
};

/** What the options of the program say. */
export type GlobalOptions = ValuesOf<typeof originalOptions> & ValuesOf<typeof everywhereOptions>;

/** `--tcp-tls-enabled` alone, or with true or false. */
export function isOn(given: string | undefined): boolean | undefined {
  return given === undefined ? undefined : given !== "false";
}
