// What is likely wrong when no connection comes about, in a sentence for people.

export type FailedAttempt = {
  /** Where it failed: before the connection was open, or while the login waited for its answer. */
  readonly stage: "opening" | "login";
  readonly cause: unknown;
  readonly host: string;
  readonly port: number;
  readonly isTls: boolean;
  readonly transport: string;
};

/** All texts along the chain of causes, with the codes of system errors; a WebSocket tells by an event, which has a text in some runtimes. */
function textOf(cause: unknown): string {
  const texts: string[] = [];
  let error = cause;
  for (let depth = 0; error instanceof Object && depth < 5; depth++) {
    const { message, code, cause: next }: { message?: unknown; code?: unknown; cause?: unknown } = error;
    texts.push(`${message} ${code}`);
    error = next;
  }
  // The name of a host is no symptom.
  return texts.join(" ").replace(/\S+:\/\/\S+/g, "");
}

const tlsHint = "TLS and plain text do not fit together: try the port with TLS, or the same scheme without it.";

/** The sentence for an attempt that failed. */
export function hintOf({ stage, cause, host, port, isTls, transport }: FailedAttempt): string {
  const text = textOf(cause);
  if (stage === "login") {
    if (text.includes("credentials")) return "the function for credentials failed; its error is the cause.";
    const other = isTls ? "" : `, one with TLS (try ${transport === "websocket" ? "iggy+wss" : "iggy+tls"}:)`;
    return `${host}:${port} takes connections but does not answer as Iggy 0.8 does: it may be an HTTP port${other}, or a server of another generation.`;
  }
  // Before the names that are not known: the error lists those of the certificate as `DNS:…`.
  if (/ALTNAME/.test(text)) {
    return `the server's certificate is not for the name that it was asked for (${host}, or \`tls_domain\`): ask for one that it has.`;
  }
  if (/ENOTFOUND|EAI_AGAIN|getaddrinfo|DNS/i.test(text)) return `the name ${host} is not known: check its spelling.`;
  if (/UNKNOWN_CA|SELF_SIGNED|self.signed|UNABLE_TO_|CERT_|certificate|issuer/i.test(text)) {
    return "the server's certificate is not trusted: give `tls: { ca }`, or `tls_ca_file` in the connection string.";
  }
  if (/ECONNREFUSED|refused/i.test(text))
    return `nobody listens at ${host}:${port}: start the server, or check the port.`;
  if (isTls && /TLS|SSL|handshake|ECONNRESET|ended the connection|wrong version/i.test(text)) return tlsHint;
  if (/no answer within|TIMEDOUT|timed out/i.test(text)) {
    return `${host}:${port} does not answer: a firewall may drop the packets, or the address is wrong.`;
  }
  if (/RESET|closed|ended|Invalid|Malformed|Expected|HTTP status/.test(text)) {
    return `${host}:${port} takes connections but does not answer as Iggy does: it may be a port for another transport.`;
  }
  // A page is told no more than that it did not work.
  const origin = "origin" in globalThis && transport === "websocket" ? " May pages of this origin connect to it?" : "";
  return `nothing at ${host}:${port} took the connection: is the server started, and is this its port for ${transport}?${origin}`;
}
