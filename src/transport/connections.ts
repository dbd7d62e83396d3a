// The connections of one transport on one shard, and what concerns all of them.
import type { Logger } from "../observability/log.ts";
import { canonical } from "../platform/socket-facts.ts";
import type { FrameKind } from "../protocol/frame.ts";
import { detectFrameKind, detectMessageFrameKind } from "../protocol/frame-detection.ts";
import type { Transport } from "../protocol/records/enumerations.ts";
import { isLoggedIn, type ServerContext, type Session, type SessionState, sourceOf } from "../server/index.ts";
import type { FrameMemory } from "../shard/index.ts";
import type { Admission } from "./admission.ts";
import type { Backlog } from "./backlog.ts";
import type { BusyPoll } from "./busy-poll.ts";
import type { PipelineOptions } from "./carrier.ts";
import type { ConnectionFrames } from "./frame-parser.ts";
import { NowAndThen } from "./now-and-then.ts";
import type { RequestPipeline } from "./request-pipeline.ts";

/** What the binary transports of a shard share. */
export interface TransportOptions {
  readonly context: ServerContext;
  readonly frameMemory: FrameMemory;
  readonly busyPoll: BusyPoll;
  readonly frames: FrameKind | "auto";
  readonly requestBytesMax: number;
  readonly largeSendsMax: number;
  /** Absent: everybody may come in. */
  readonly admission?: Admission;
  readonly log: Logger;
}

const stallCheckMs = 1000;

export class Connections {
  readonly #options: TransportOptions;
  readonly #transport: Transport;
  /** With their sources, oldest first. */
  readonly #pipelines = new Map<RequestPipeline, string>();
  /** Adopted connections whose sockets are not open yet. */
  #arrivingCount = 0;
  #stallTimer: Timer | undefined;
  /** Since when somebody has waited for memory at each look. */
  #shortSinceMs: number | undefined;
  readonly #told = new NowAndThen<"earlier" | "broken" | "room">();

  constructor(transport: Transport, options: TransportOptions) {
    this.#transport = transport;
    this.#options = options;
  }

  start(): void {
    this.#stallTimer = setInterval(() => this.#closeStalled(), stallCheckMs);
  }

  /** Whether there is room for one more client. */
  admits(address: string): boolean {
    return this.#options.admission?.admits(address) ?? true;
  }

  /**
   * For one more client: where `max` of this transport are not logged in, the one that has been there for longest is closed, of
   * the address that has the most of them.
   */
  makeRoomWithoutLogin(max: number, address: string): void {
    let waitingCount = 0;
    for (const { session } of this.#pipelines.keys()) if (!isLoggedIn(session)) waitingCount++;
    if (waitingCount < max) return;
    const counts = new Map<string, number>();
    this.#pipelines.forEach((source, { session }) => {
      if (!isLoggedIn(session)) counts.set(source, (counts.get(source) ?? 0) + 1);
    });
    let largestSource = "";
    let largestCount = 0;
    for (const [source, count] of counts) if (count > largestCount) [largestSource, largestCount] = [source, count];
    for (const [pipeline, source] of this.#pipelines) {
      if (source !== largestSource || isLoggedIn(pipeline.session)) continue;
      pipeline.terminate();
      break;
    }
    this.#options.context.shard.statistics.add("closedBeforeLogin");
    if (this.#told.isNews("room"))
      this.#options.log.warn("closed a client that is not logged in, to make room for another", { address, max });
  }

  /** A client that has just connected. */
  openSession(address: string): Session {
    return this.#options.context.sessions.open(this.#transport, address);
  }

  /** Makes the pipeline's options for `make`, and keeps the pipeline until it is closed. */
  add<T extends { readonly pipeline: RequestPipeline }>(
    session: Session,
    frames: ConnectionFrames | "auto",
    backlog: Backlog,
    make: (options: PipelineOptions) => T,
  ): T {
    const { context, frameMemory, busyPoll, requestBytesMax, largeSendsMax, log } = this.#options;
    const connection = make({
      context,
      session,
      frameMemory,
      frames,
      detectFrames: this.#transport === "websocket" ? detectMessageFrameKind : detectFrameKind,
      backlog,
      requestBytesMax,
      largeSendsMax,
      onSmallExchange: () => busyPoll.touch(session.clientId),
      onBroken: () => this.#warnBroken(session.address),
      onEarlierClient: () => this.#warnEarlier(session.address),
      onFault: (code, error) => log.error("request failed", { code, client: session.clientId, error }),
      onClosed: () => {
        this.#pipelines.delete(connection.pipeline);
        context.sessions.close(session);
      },
    });
    this.#pipelines.set(connection.pipeline, sourceOf(session.address));
    context.sessions.closeBy(session, () => connection.pipeline.terminate());
    return connection;
  }

  /** The connection goes on at another shard. */
  forget(pipeline: RequestPipeline): void {
    this.#pipelines.delete(pipeline);
  }

  /** A connection of another shard is on its way: its client is one of this shard's from now on. */
  expect(state: SessionState): Session {
    this.#arrivingCount++;
    return this.#options.context.sessions.adopt(state);
  }

  /** The expected connection is here. */
  arrived(): void {
    this.#arrivingCount--;
  }

  /** The expected connection does not come. */
  lost(session: Session): void {
    this.#arrivingCount--;
    this.#options.context.sessions.close(session);
  }

  /** Connections that are open, or about to be. */
  get count(): number {
    return this.#pipelines.size + this.#arrivingCount;
  }

  /** The other ends of those that are open, `ip:port`. */
  addresses(): Set<string> {
    return new Set(this.#pipelines.keys().map(({ session }) => canonical(session.address)));
  }

  /** Every client is told that the server stops, and its connection closed (spec SB 8.10). */
  disconnectAll(): void {
    clearInterval(this.#stallTimer);
    for (const pipeline of this.#pipelines.keys()) pipeline.disconnect();
  }

  /** Cuts what is still there. */
  terminateAll(): void {
    for (const pipeline of [...this.#pipelines.keys()]) pipeline.terminate();
  }

  /** A bug, or a file that cannot be read in the middle of a reply: this connection ends, nothing else does. */
  giveUp(pipeline: RequestPipeline | undefined, error: unknown): void {
    const client = pipeline?.session.clientId;
    this.#options.log.error("closed a connection that could not go on", { client, error });
    pipeline?.terminate();
  }

  /** A client that leaves a frame half sent must not hold memory that others wait for. */
  #closeStalled(): void {
    const nowMs = performance.now();
    if (!this.#options.frameMemory.isShort) {
      this.#shortSinceMs = undefined;
      return;
    }
    this.#shortSinceMs ??= nowMs;
    for (const pipeline of [...this.#pipelines.keys()]) {
      if (!pipeline.isHoldingUp(nowMs, this.#shortSinceMs)) continue;
      this.#options.log.warn("closed a client that was too slow in the middle of a request while memory was short", {
        client: pipeline.session.clientId,
        address: pipeline.session.address,
      });
      pipeline.terminate();
    }
  }

  #warnEarlier(address: string): void {
    this.#options.log[this.#told.isNews("earlier") ? "warn" : "debug"](
      "refused messages with the header of 56 bytes of Iggy 0.6 or earlier; versions that work: SDKs 0.8 and 0.9, Rust crate iggy 0.10 and 0.11",
      { address },
    );
  }

  #warnBroken(address: string): void {
    this.#options.log[this.#told.isNews("broken") ? "warn" : "debug"](
      "closed a client whose bytes are no request of any version of the protocol",
      { address },
    );
  }
}
