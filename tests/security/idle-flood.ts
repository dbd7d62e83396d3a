// Clients that connect, from many addresses, and never log in: they say nothing, the half of a request, or one request that
// needs no login. Used by a test with some hundred of them, and by scripts/standing with 10,000.
import { connect, type Socket } from "node:net";
import { CommandCode } from "../../src/protocol/codes.ts";
import { encodeRequestFrame } from "../../src/protocol/frame.ts";
import { encodeFrame, Opcode } from "../support/raw-websocket.ts";

/** QUIC has a generator of its own, in the runtime that speaks it. */
export type FloodTransport = "tcp" | "websocket" | "http";

export interface FloodOptions {
  readonly transport: FloodTransport;
  readonly host: string;
  readonly port: number;
  /** New connections in a second. */
  readonly perSecond: number;
  /** Source addresses, from 127.0.0.2 up. */
  readonly addressesCount: number;
}

export interface FloodCounts {
  /** The system has connected them. */
  opened: number;
  /** The system has not. */
  failed: number;
  /** Something came back: of those that asked, not more than one in three. */
  answered: number;
  /** Ended by the other side. */
  closed: number;
}

const ping = encodeRequestFrame(CommandCode.ping, new Uint8Array(0), "sdk");
const upgrade = Buffer.from(
  "GET / HTTP/1.1\r\nhost: localhost\r\nupgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
);
const request = Buffer.from("GET /ping HTTP/1.1\r\nhost: localhost\r\n\r\n");
const halfHead = request.subarray(0, request.length / 2);

/** What the clients of a transport send, one after the other; null: nothing. */
const openings: Readonly<Record<FloodTransport, readonly (Uint8Array | null)[]>> = {
  tcp: [null, ping.subarray(0, 3), ping],
  websocket: [
    halfHead,
    upgrade,
    Buffer.concat([upgrade, encodeFrame(Opcode.binary, ping).subarray(0, 5)]),
    Buffer.concat([upgrade, encodeFrame(Opcode.binary, ping)]),
  ],
  http: [null, halfHead, request],
};

/** How often a second new connections are made. */
const turnsPerSecond = 20;

export class IdleFlood {
  readonly counts: FloodCounts = { opened: 0, failed: 0, answered: 0, closed: 0 };
  readonly #options: FloodOptions;
  readonly #sockets = new Set<Socket>();
  #startedCount = 0;

  constructor(options: FloodOptions) {
    this.#options = options;
  }

  /** Connections that the other side has not ended. */
  get heldCount(): number {
    return this.#sockets.size;
  }

  /** Makes `count` connections; resolves when the last has been begun. */
  async open(count: number): Promise<void> {
    const startMs = performance.now();
    const target = this.#startedCount + count;
    const first = this.#startedCount;
    while (this.#startedCount < target) {
      const dueCount = Math.ceil(((performance.now() - startMs) / 1000) * this.#options.perSecond);
      while (this.#startedCount < Math.min(target, first + dueCount)) this.#openOne(this.#startedCount++);
      await Bun.sleep(1000 / turnsPerSecond);
    }
  }

  /** Ends all of them. */
  close(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#sockets.clear();
  }

  #openOne(index: number): void {
    const { host, port, transport, addressesCount } = this.#options;
    const { counts } = this;
    const opening = openings[transport][index % openings[transport].length] ?? null;
    const socket = connect({ host, port, noDelay: true, localAddress: sourceAddress(index % addressesCount) });
    let isOpen = false;
    socket.once("connect", () => {
      isOpen = true;
      counts.opened++;
      this.#sockets.add(socket);
      if (opening !== null) socket.write(opening);
    });
    socket.once("data", () => {
      counts.answered++;
    });
    socket.on("error", () => socket.destroy()); // counted at "close"
    socket.once("end", () => socket.destroy());
    socket.once("close", () => {
      if (!isOpen) counts.failed++;
      else if (this.#sockets.delete(socket)) counts.closed++;
    });
  }
}

/** The n-th address from 127.0.0.2 up; 250 of each 256. */
export function sourceAddress(index: number): string {
  return `127.0.${Math.floor(index / 250)}.${2 + (index % 250)}`;
}
