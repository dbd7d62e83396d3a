// What WebSocket clients without a login have sent of messages that are not whole. The runtime keeps it out of sight, up to the
// largest message that anybody may send; so what the system has received is compared, from time to time, with what the runtime
// has handed over. Where the system does not tell (no Linux), the largest message is the only bound.
import type { LoopSockets } from "../../platform/loop-sockets.ts";
import { canonical } from "../../platform/socket-facts.ts";

const checkMs = 500;
/** Around what is handed over: the head of a frame, and of a TLS record for each 16 KiB. Too much is taken back at each look. */
const overheadBytes = 64;
const overheadPerByte = 1 / 256;

export interface UnfinishedOptions<C> {
  readonly port: number;
  /** Of this thread; undefined where the system does not list them. */
  readonly sockets: LoopSockets | undefined;
  /** More of an unfinished message, and of the handshake, may not be held of a client without a login. */
  readonly bytesMax: number;
  readonly isLoggedIn: (client: C) => boolean;
  /** Nothing is read of it: what the system has received waits in the system. */
  readonly isHeldUp: (client: C) => boolean;
  readonly onTooMany: (client: C) => void;
}

interface Received<C> {
  readonly client: C;
  /** As far as all has been handed over. */
  takenBytes: number;
  /** Of a message since it was logged in; the runtime keeps its room for as long as the connection is there. */
  largestBytes: number;
  wasLoggedIn: boolean;
}

export class UnfinishedMessages<C> {
  readonly #options: UnfinishedOptions<C>;
  readonly #received = new Map<C, Received<C>>();
  /** The same by the other end of the connection, as the system spells it. */
  readonly #byPeer = new Map<string, Received<C>>();
  #isLooking = false;

  constructor(options: UnfinishedOptions<C>) {
    this.#options = options;
  }

  /** `address`: `ip:port` or `[ip]:port`. */
  opened(client: C, address: string): void {
    if (this.#options.sockets === undefined) return;
    const received = { client, takenBytes: 0, largestBytes: 0, wasLoggedIn: false };
    this.#received.set(client, received);
    this.#byPeer.set(canonical(address), received);
    if (this.#isLooking) return;
    this.#isLooking = true;
    setTimeout(() => this.#look(this.#options.sockets!), checkMs);
  }

  closed(client: C, address: string): void {
    const received = this.#received.get(client);
    if (received === undefined) return;
    this.#received.delete(client);
    const peer = canonical(address);
    if (this.#byPeer.get(peer) === received) this.#byPeer.delete(peer);
  }

  /** The runtime has handed over a message, or answered a ping. */
  took(client: C, sizeBytes: number): void {
    const received = this.#received.get(client);
    if (received === undefined) return;
    received.takenBytes += overheadBytes + sizeBytes * (1 + overheadPerByte);
    received.largestBytes = Math.max(received.largestBytes, sizeBytes);
  }

  async #look(sockets: LoopSockets): Promise<void> {
    try {
      await this.#check(sockets);
    } finally {
      // Nobody looks while nobody is there.
      this.#isLooking = this.#received.size > 0;
      if (this.#isLooking) setTimeout(() => this.#look(sockets), checkMs);
    }
  }

  async #check(sockets: LoopSockets): Promise<void> {
    const { port, bytesMax, isLoggedIn, isHeldUp, onTooMany } = this.#options;
    let hasStrangers = false;
    for (const [client, received] of this.#received) {
      if (isLoggedIn(client)) {
        received.wasLoggedIn = true;
        received.largestBytes = 0;
      } else if (!isHeldUp(client)) {
        hasStrangers = true;
        // It came while a login was under way, which has failed.
        if (received.largestBytes > bytesMax) onTooMany(client);
      }
    }
    if (!hasStrangers) return;
    for await (const some of sockets.at(port)) {
      for (const socket of some) {
        const received = this.#byPeer.get(socket.peer);
        if (received === undefined || isLoggedIn(received.client) || isHeldUp(received.client)) continue;
        const traffic = sockets.trafficOf(socket);
        if (traffic !== undefined) this.#compare(received, traffic.receivedBytes);
      }
    }
  }

  #compare(received: Received<C>, receivedBytes: number): void {
    const { bytesMax, onTooMany } = this.#options;
    received.takenBytes = received.wasLoggedIn ? receivedBytes : Math.min(received.takenBytes, receivedBytes);
    received.wasLoggedIn = false;
    if (receivedBytes - received.takenBytes > bytesMax) onTooMany(received.client);
  }
}
