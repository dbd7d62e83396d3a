// Connections of load balancers, until the PROXY header has said whose they are. Only then is there a client, with its address.
import type { BlockList } from "node:net";
import type { Socket } from "bun";
import { formatListenAddress } from "../../config/address.ts";
import { isInNetworks, parseNetworks } from "../../config/networks.ts";
import type { Logger } from "../../observability/log.ts";
import { NowAndThen } from "../now-and-then.ts";
import { Handshakes } from "./handshakes.ts";
import { ProxyHeaderError, readProxyHeader } from "./proxy-header.ts";

export interface ProxiedOpeningsOptions<Data> {
  /** `tcp.proxy_protocol.trusted` */
  readonly trusted: readonly string[];
  /** Longest time until the header is whole. */
  readonly timeoutMs: number;
  /** The header has come: whose connection it is, and the bytes behind the header. */
  readonly onClient: (socket: Socket<Data>, address: string, bytes: Uint8Array) => void;
  readonly log: Logger;
}

/** Balancers send the header with their first packet, so few wait for one. */
const waitingMax = 1024;
const nothing: Uint8Array = new Uint8Array(0);

export class ProxiedOpenings<Data> {
  readonly #options: ProxiedOpeningsOptions<Data>;
  readonly #trusted: BlockList | undefined;
  readonly #waiting = new Map<Socket<Data>, Uint8Array>();
  readonly #times: Handshakes<Socket<Data>>;
  readonly #told = new NowAndThen<string>();

  constructor(options: ProxiedOpeningsOptions<Data>) {
    this.#options = options;
    if (options.trusted.length > 0) this.#trusted = parseNetworks(options.trusted);
    this.#times = new Handshakes({
      timeoutMs: options.timeoutMs,
      onLate: (socket) => this.#close(socket, "it did not come in time"),
    });
  }

  /** Whether the peer is a listed balancer; then its connection waits here for its header. */
  takes(socket: Socket<Data>): boolean {
    if (this.#trusted === undefined || !isInNetworks(this.#trusted, socket.remoteAddress)) return false;
    this.#waiting.set(socket, nothing);
    if (this.#waiting.size > waitingMax) this.#close(socket, "too many connections wait for theirs");
    else this.#times.began(socket);
    return true;
  }

  receive(socket: Socket<Data>, bytes: Uint8Array): void {
    const held = this.#waiting.get(socket);
    if (held === undefined) return;
    const all = held.byteLength === 0 ? bytes : Buffer.concat([held, bytes]);
    try {
      const header = readProxyHeader(all);
      if (header === "more") {
        this.#waiting.set(socket, all.slice());
        return;
      }
      this.gone(socket);
      const own = { host: socket.remoteAddress, port: socket.remotePort };
      const rest = all.subarray(header.sizeBytes);
      this.#options.onClient(socket, formatListenAddress(header.source ?? own), rest);
    } catch (error) {
      if (!(error instanceof ProxyHeaderError)) throw error;
      this.#close(socket, error.message);
    }
  }

  /** The connection ends, or is a client's now. */
  gone(socket: Socket<Data>): void {
    this.#waiting.delete(socket);
    this.#times.ended(socket);
  }

  /** The server stops. */
  closeAll(): void {
    for (const socket of [...this.#waiting.keys()]) {
      this.gone(socket);
      socket.terminate();
    }
  }

  #close(socket: Socket<Data>, reason: string): void {
    const address = formatListenAddress({ host: socket.remoteAddress, port: socket.remotePort });
    this.gone(socket);
    this.#options.log[this.#told.isNews(reason) ? "warn" : "debug"](
      "closed a connection of tcp.proxy_protocol.trusted without a good PROXY header",
      { address, reason },
    );
    socket.terminate();
  }
}
