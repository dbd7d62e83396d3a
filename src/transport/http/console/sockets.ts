// The sockets of the console: /ui/socket and /ui/live. Each ends with its session, with close code 4401 when that is over.
import type { Server, WebSocketHandler } from "bun";
import { canonical } from "../../../platform/socket-facts.ts";
import { GroupLags, ScanSlots } from "../../../server/index.ts";
import { Connections, type TransportOptions } from "../../connections.ts";
import { BinarySocket } from "./binary-socket.ts";
import { LiveSocket } from "./live-socket.ts";
import { SignIns } from "./sign-ins.ts";
import type { ConsoleSocketData, SocketHandler, SocketOpener } from "./socket-handler.ts";

export type SocketKind = "binary" | "live";

/** As on the port of WebSocket (spec BP 2.3). */
const messageBytesMax = 64 * 1024 * 1024;
const writeBufferBytesMax = 2 * 1024 * 1024;
/** Without a byte for so long the runtime pings, and closes what does not answer. */
const idleTimeoutSeconds = 120;
const liveSocketsMax = 32;

export class ConsoleSockets {
  readonly signIns: SignIns;
  readonly groupLags: GroupLags;
  readonly #scanSlots = new ScanSlots();
  readonly #options: TransportOptions;
  readonly #connections: Connections;
  readonly #live = new Set<LiveSocket>();

  constructor(options: TransportOptions) {
    this.#options = options;
    this.#connections = new Connections("websocket", options);
    this.signIns = new SignIns(options.context.clock);
    this.groupLags = new GroupLags(options.context);
  }

  get count(): number {
    return this.#connections.count + this.#live.size;
  }

  /** Their other ends, `ip:port`. */
  addresses(): ReadonlySet<string> {
    const addresses = this.#connections.addresses();
    for (const { address } of this.#live) addresses.add(canonical(address));
    return addresses;
  }

  start(): void {
    this.#connections.start();
  }

  /** Makes a socket of the request; undefined where that went well, else the answer. */
  upgrade(
    request: Request,
    server: Server<ConsoleSocketData>,
    kind: SocketKind,
    opener: SocketOpener,
  ): Response | undefined {
    const isFull = kind === "live" ? this.#live.size >= liveSocketsMax : !this.#connections.admits(opener.address);
    if (isFull) {
      return new Response("There are too many clients.\n", { status: 503, headers: { connection: "close" } });
    }
    const handler = kind === "live" ? this.#makeLive(opener) : this.#makeBinary(opener);
    if (server.upgrade(request, { data: { handler } })) return undefined;
    handler.closed();
    return new Response("This is no WebSocket handshake.\n", { status: 400 });
  }

  handlers(): WebSocketHandler<ConsoleSocketData> {
    return {
      maxPayloadLength: messageBytesMax,
      backpressureLimit: writeBufferBytesMax,
      idleTimeout: idleTimeoutSeconds,
      sendPings: true,
      perMessageDeflate: false,
      open: (socket) => {
        socket.binaryType = "uint8array";
        socket.data.handler.open(socket);
      },
      message: ({ data }, message) => data.handler.message(message),
      drain: ({ data }) => data.handler.drained(),
      close: ({ data }) => data.handler.closed(),
    };
  }

  /** The server stops. */
  disconnectAll(): void {
    this.signIns.stop();
    this.#connections.disconnectAll();
    for (const socket of this.#live) socket.disconnect();
  }

  terminateAll(): void {
    this.#connections.terminateAll();
    for (const socket of this.#live) socket.terminate();
  }

  #makeBinary(opener: SocketOpener): SocketHandler {
    const { context } = this.#options;
    return new BinarySocket({ context, connections: this.#connections, signIns: this.signIns }, opener);
  }

  #makeLive(opener: SocketOpener): SocketHandler {
    const { context, log } = this.#options;
    const onClosed = (socket: LiveSocket) => this.#live.delete(socket);
    const { signIns, groupLags } = this;
    const live = new LiveSocket({ context, signIns, groupLags, scanSlots: this.#scanSlots, log, onClosed }, opener);
    this.#live.add(live);
    return live;
  }
}
