// All answers of Server-Sent Events that are under way: one timer beats for them, and looks whether their access tokens still hold.
import { IggyError } from "../../../protocol/errors.ts";
import type { EventStream } from "./event-stream.ts";

/** Proxies close connections on which nothing comes for a minute. */
const beatMs = 15_000;

export class EventStreams {
  /** With what says whether their access tokens hold. */
  readonly #streams = new Map<EventStream, () => boolean>();
  #timer: Timer | undefined;
  #isStopped = false;

  get count(): number {
    return this.#streams.size;
  }

  /** `isCurrent`: whether the access token holds with which it was asked for. */
  add(stream: EventStream, isCurrent: () => boolean): void {
    this.#streams.set(stream, isCurrent);
    this.#timer ??= setInterval(() => this.#beat(), beatMs);
    if (this.#isStopped) stream.close();
  }

  delete(stream: EventStream): void {
    this.#streams.delete(stream);
    if (this.#streams.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** An access token was revoked: what was opened with it ends. */
  recheck(): void {
    for (const [stream, isCurrent] of this.#streams) {
      if (!isCurrent()) stream.fail(new IggyError("Unauthenticated"));
    }
  }

  /** The server stops. */
  stop(): void {
    this.#isStopped = true;
    for (const stream of [...this.#streams.keys()]) stream.close();
  }

  #beat(): void {
    this.recheck();
    for (const stream of this.#streams.keys()) stream.beat();
  }
}
