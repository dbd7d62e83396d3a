// How a connection of a binary transport ends: every reply goes out, then the sending side ends, and what the client still sends
// is ignored for a while.
import type { Session } from "../server/index.ts";
import type { Carrier } from "./carrier.ts";
import type { ReplyQueue } from "./reply-queue.ts";
import { lingerMs } from "./session-limits.ts";

/** Whose connection it is. */
export interface EndingConnection {
  readonly session: Session;
  readonly isPaused: boolean;
  terminate(): void;
}

export class ConnectionEnd {
  /** `lingering`: every reply is out, and the client may still be sending. */
  stage: "open" | "afterReplies" | "lingering" | "closed" = "open";
  /** The client has ended its sending side. */
  isHalfClosed = false;
  readonly #carrier: Carrier;
  readonly #replies: ReplyQueue;
  readonly #connection: EndingConnection;
  /** Set while lingering. */
  #lingerTimer: Timer | undefined;

  constructor(carrier: Carrier, replies: ReplyQueue, connection: EndingConnection) {
    this.#carrier = carrier;
    this.#replies = replies;
    this.#connection = connection;
  }

  /**
   * Ends the connection when every reply is out. The client may still be sending: closing at once would make the system
   * throw the last replies away, so the sending side ends first and what still comes is ignored for `patienceMs`.
   */
  afterReplies(patienceMs = lingerMs): void {
    if (this.stage === "lingering" || this.stage === "closed") return;
    this.stage = "afterReplies";
    this.#connection.session.subscriber?.close();
    if (!this.#replies.isEmpty || !this.#carrier.output.isEmpty) return;
    this.stage = "lingering";
    if (this.#connection.isPaused) this.#carrier.resumeReading();
    this.#carrier.endSending(this.isHalfClosed);
    this.#lingerTimer = setTimeout(() => this.#connection.terminate(), patienceMs);
  }

  /** The connection is gone, or goes on elsewhere. */
  closed(): void {
    this.stage = "closed";
    clearTimeout(this.#lingerTimer);
  }
}
