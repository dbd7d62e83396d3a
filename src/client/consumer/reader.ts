// Reads a topic and stores nothing: where it is, is a position that the program keeps. What it does is in reader-engine.ts, which is
// loaded as that of a consumer is.

import { asyncDispose } from "../async-dispose.ts";
import type { CloseOptions } from "../options.ts";
import type { Message } from "../topic/message.ts";
import type { Late } from "./late.ts";
import type { Position } from "./options.ts";
import type { ReaderEngine } from "./reader-engine.ts";

export class Reader<Out> implements AsyncIterable<Message<Out>> {
  readonly #engine: Late<ReaderEngine<Out>>;

  /** Nothing is sent before the first loop. */
  constructor(engine: Late<ReaderEngine<Out>>) {
    this.#engine = engine;
  }

  /** Messages of all partitions. One loop at a time; a later one goes on where the last one ended. */
  [Symbol.asyncIterator](): AsyncIterableIterator<Message<Out>> {
    return this.#engine.iterate((engine) => engine[Symbol.asyncIterator]());
  }

  /**
   * The next offset of each partition, counted behind the message that was given last. A partition is missing as long as its
   * place is not known, which is so for a time of which nothing has come yet.
   */
  position(): Position {
    return this.#engine.value?.position() ?? {};
  }

  /** Loops end without an error, after the message in hand. */
  close(options?: CloseOptions): Promise<void> {
    return this.#engine.ask((engine) => engine.close(options));
  }

  [asyncDispose](): Promise<void> {
    return this.close();
  }
}
