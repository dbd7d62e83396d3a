// What WebSocket clients without a login have sent of messages that are not whole. The runtime keeps it out of sight, up to the
// largest message that anybody may send; so what the system has received is compared, from time to time, with what the runtime
// has handed over. Where the system does not tell (no Linux), the largest message is the only bound.
import { ReceivedBytes } from "../../platform/received-bytes.ts";

const checkMs = 500;
/** Around what is handed over: the head of a frame, and of a TLS record for each 16 KiB. Too much is taken back at each look. */
const overheadBytes = 64;
const overheadPerByte = 1 / 256;

export interface UnfinishedOptions<C> {
  readonly port: number;
  /** More of an unfinished message, and of the handshake, may not be held of a client without a login. */
  readonly bytesMax: number;
  readonly isLoggedIn: (client: C) => boolean;
  /** Nothing is read of it: what the system has received waits in the system. */
  readonly isHeldUp: (client: C) => boolean;
  readonly onTooMany: (client: C) => void;
}

interface Received {
  readonly address: string;
  /** As far as all has been handed over. */
  takenBytes: number;
  wasLoggedIn: boolean;
}

export class UnfinishedMessages<C> {
  readonly #options: UnfinishedOptions<C>;
  readonly #receivedBytes: ReceivedBytes;
  readonly #clients = new Map<C, Received>();
  #timer: Timer | undefined;

  constructor(options: UnfinishedOptions<C>) {
    this.#options = options;
    this.#receivedBytes = new ReceivedBytes(options.port);
  }

  opened(client: C, address: string): void {
    this.#clients.set(client, { address, takenBytes: 0, wasLoggedIn: false });
    this.#timer ??= setInterval(() => this.#check(), checkMs);
  }

  closed(client: C): void {
    this.#clients.delete(client);
    if (this.#clients.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** The runtime has handed over a message, or answered a ping. */
  took(client: C, sizeBytes: number): void {
    const received = this.#clients.get(client);
    if (received !== undefined) received.takenBytes += overheadBytes + sizeBytes * (1 + overheadPerByte);
  }

  #check(): void {
    const { bytesMax, isLoggedIn, isHeldUp, onTooMany } = this.#options;
    const waiting: [C, Received][] = [];
    for (const [client, received] of this.#clients) {
      if (isLoggedIn(client)) received.wasLoggedIn = true;
      else if (!isHeldUp(client)) waiting.push([client, received]);
    }
    if (waiting.length === 0) return;
    const counts = this.#receivedBytes.of(waiting.map(([, { address }]) => address));
    for (const [client, received] of waiting) {
      const count = counts.get(received.address);
      if (count === undefined) continue;
      received.takenBytes = received.wasLoggedIn ? count : Math.min(received.takenBytes, count);
      received.wasLoggedIn = false;
      if (count - received.takenBytes > bytesMax) onTooMany(client);
    }
  }
}
