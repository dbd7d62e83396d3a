// The channel of metrics: numbers of the broker every 5 s, to a viewer who may read servers.
import type { ServerContext } from "../context.ts";
import { requireRight } from "../rights.ts";
import type { Session } from "../session.ts";
import type { MetricsViewer } from "./sampler.ts";
import type { Channel } from "./tail.ts";

export class Metrics implements Channel {
  readonly #context: ServerContext;
  readonly #session: Session;
  readonly #stop: () => void;

  /** Errors: 41. */
  constructor(context: ServerContext, session: Session, show: MetricsViewer) {
    this.#context = context;
    this.#session = session;
    this.recheck();
    this.#stop = context.sampler.watch(show);
  }

  credit(): void {}

  drained(): void {}

  recheck(): void {
    requireRight(this.#context.shard, this.#session, "getStats");
  }

  close(): void {
    this.#stop();
  }
}
