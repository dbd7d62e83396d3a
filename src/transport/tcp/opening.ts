// The first bytes of a connection, which may show that its client is at the wrong port: it is closed, and the log says what it
// speaks and which setting is meant.
import type { Logger } from "../../observability/log.ts";
import { type ForeignProtocol, foreignProtocolOf } from "../../protocol/foreign-protocol.ts";
import { NowAndThen } from "../now-and-then.ts";

const nothing: Uint8Array = new Uint8Array(0);

/** Of one connection: holds what has arrived while that may become another protocol. */
export class Opening {
  #held: Uint8Array = nothing;

  /** All that has arrived once it is decided, and another protocol if it is one; undefined: not decided. */
  take(bytes: Uint8Array): { readonly bytes: Uint8Array; readonly foreign: ForeignProtocol | undefined } | undefined {
    const all = this.#held.byteLength === 0 ? bytes : Buffer.concat([this.#held, bytes]);
    const protocol = foreignProtocolOf(all);
    if (protocol === "more") {
      this.#held = all.slice();
      return undefined;
    }
    return { bytes: all, foreign: protocol === "none" ? undefined : protocol };
  }
}

/** `plain`: something without TLS where TLS is on; the others are meant as they came out of it, or without it. */
type Stranger = ForeignProtocol | "plain" | "plain http";

const lines: Readonly<Record<Stranger, readonly [message: string, hint: string]>> = {
  tls: [
    "closed a client that speaks TLS at the TCP port, which has none",
    "tcp.tls.enabled turns it on; HTTPS has the port of http.address",
  ],
  http: [
    "closed a client that speaks HTTP at the TCP port",
    "HTTP has the port of http.address, WebSocket that of websocket.address",
  ],
  proxy: [
    "closed a client that begins with a header of the PROXY protocol",
    "tcp.proxy_protocol.trusted lists the addresses that may send one",
  ],
  plain: [
    "closed a client that does not speak TLS at the TCP port, which has TLS on",
    "turn TLS on in the client, or tcp.tls.enabled off",
  ],
  "plain http": [
    "closed a client that speaks HTTP without TLS at the TCP port, which has TLS on",
    "HTTP has the port of http.address, WebSocket that of websocket.address",
  ],
};

/** How the runtime's TLS library says that the first bytes are none of its own; other failures are no wrong port. */
const handshakeFailures: readonly (readonly [word: string, Stranger])[] = [
  ["WRONG_VERSION_NUMBER", "plain"],
  ["HTTP_REQUEST", "plain http"],
  ["HTTPS_PROXY_REQUEST", "plain http"],
];

/** Of one listener. A line of each kind is written now and then, however many clients come. */
export class Strangers {
  readonly #log: Logger;
  readonly #told = new NowAndThen<Stranger>();

  constructor(log: Logger) {
    this.#log = log;
  }

  /** A client whose first bytes are of another protocol. */
  met(stranger: Stranger, address: string): void {
    const [message, hint] = lines[stranger];
    this.#log[this.#told.isNews(stranger) ? "warn" : "debug"](message, { address, hint });
  }

  /** A client whose TLS handshake failed. */
  failed(error: Error, address: string): void {
    const stranger = handshakeFailures.find(([word]) => error.message.endsWith(word))?.[1];
    if (stranger !== undefined) this.met(stranger, address);
    else this.#log.debug("a TLS handshake failed", { address, error });
  }
}
