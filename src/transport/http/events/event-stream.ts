// One answer of Server-Sent Events: what is pushed to it is written when the client has taken what was before. What it holds is
// the places of one push, whatever the client does.
import { reasonOf } from "../../../protocol/error-table.ts";
import { IggyError, toIggyError } from "../../../protocol/errors.ts";
import type { EndPush } from "../../../protocol/extensions/pushes.ts";
import { snakeNameOf } from "../../../protocol/snake-name.ts";
import type { PushTarget, Session } from "../../../server/index.ts";
import type { ShardRead } from "../../../shard/index.ts";
import { eventText } from "../messages/event-text.ts";
import { ascii, JsonBytes } from "../messages/json-bytes.ts";
import { MessagePieces } from "../messages/message-pieces.ts";

/** Of its only subscription. */
export const eventsSubscriptionId = 1;

const headers = { "content-type": "text/event-stream", "cache-control": "no-store" };
/** A comment: it says that somebody is there. */
const heartbeat = ascii(":\n\n");
/** Without an id: who connects again begins where the request says. */
const resetEvent = "id:\nevent: reset\ndata: {}\n\n";

/** Shared by all answers: only used until the next await. */
const text = new JsonBytes(256 * 1024);

interface Sink {
  write(bytes: Uint8Array | string): number | Promise<number>;
  flush(): unknown;
  end(): unknown;
}

export interface EventStreamOptions {
  readonly session: Session;
  /** Size of each piece that the client takes. */
  readonly onSent: (sizeBytes: number) => void;
  /** So many messages are written. */
  readonly onDelivered: (messagesCount: number) => void;
  /** Once, when it is over, whoever ended it. */
  readonly onClosed: () => void;
}

export class EventStream implements PushTarget {
  readonly #options: EventStreamOptions;
  /** Pushed, and not yet written whole. */
  #read: ShardRead | undefined;
  /** Text of the last event. */
  #last: string | undefined;
  #isHeartbeatDue = true;
  #isClosed = false;
  #wake: () => void = () => undefined;

  constructor(options: EventStreamOptions) {
    this.#options = options;
    options.session.pushTarget = this;
  }

  get isReadyForPush(): boolean {
    return this.#read === undefined && this.#last === undefined && !this.#isClosed;
  }

  pushMessages(_subscriptionId: number, _partitionId: number, read: ShardRead): void {
    if (this.#isClosed) {
      read.release();
      return;
    }
    this.#read = read;
    this.#wake();
  }

  /** Nothing of this kind is subscribed to. */
  pushPartitions(): void {}

  pushEnd({ ending, errorCode }: EndPush): void {
    if (ending === "error") this.fail(IggyError.ofCode(errorCode));
    else this.#endWith(resetEvent);
  }

  moveIfBetter(): boolean {
    return false;
  }

  /** A comment, unless something is being written. */
  beat(): void {
    this.#isHeartbeatDue = true;
    this.#wake();
  }

  /** The last event says why. */
  fail(thrown: unknown): void {
    const error = toIggyError(thrown);
    const data = { id: error.code, code: snakeNameOf(error.errorName), reason: reasonOf(error) };
    this.#endWith(`event: error\ndata: ${JSON.stringify(data)}\n\n`);
  }

  /** Nothing more is written; nothing of it is left. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#release();
    this.#options.session.subscriber?.close();
    this.#options.onClosed();
    this.#wake();
  }

  response(): Response {
    const body = new ReadableStream({
      type: "direct",
      /** Called once; the connection is cut when it throws. */
      pull: (controller) => this.#run(controller as Sink),
      cancel: () => this.close(),
    });
    return new Response(body, { headers });
  }

  #endWith(last: string): void {
    this.#last ??= last;
    this.#wake();
  }

  async #run(sink: Sink): Promise<void> {
    try {
      while (!this.#isClosed) {
        if (this.#read !== undefined) await this.#writeMessages(sink, this.#read);
        else if (this.#last !== undefined) {
          await this.#write(sink, this.#last);
          break;
        } else if (this.#isHeartbeatDue) await this.#write(sink, heartbeat);
        else await this.#woken();
      }
      sink.end();
    } finally {
      this.close();
    }
  }

  async #writeMessages(sink: Sink, read: ShardRead): Promise<void> {
    const pieces = new MessagePieces(read, eventText);
    while (!pieces.isDone && !this.#isClosed) {
      text.clear();
      pieces.writeNext(text);
      await this.#write(sink, text.written);
    }
    this.#options.onDelivered(read.messagesCount);
    this.#release();
    const { subscriber } = this.#options.session;
    // The credit never runs out: it is the client's socket that holds it up.
    subscriber?.addCredit(eventsSubscriptionId, read.sizeBytes);
    subscriber?.proceed();
  }

  /** Resolves when the client has taken enough for more. Others have had their turn by then. */
  async #write(sink: Sink, bytes: Uint8Array | string): Promise<void> {
    this.#isHeartbeatDue = false;
    this.#options.onSent(bytes.length);
    const written = sink.write(bytes);
    const flushed = sink.flush();
    if (typeof written !== "number") await written;
    await flushed;
    await new Promise<void>((resolve) => setImmediate(resolve));
  }

  #woken(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #release(): void {
    this.#read?.release();
    this.#read = undefined;
  }
}
