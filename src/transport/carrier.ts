// The two sides of a connection: what the request pipeline asks of a transport, and what a transport gives it.
import type { ServerContext, Session } from "../server/index.ts";
import type { FrameMemory } from "../shard/index.ts";
import type { Backlog } from "./backlog.ts";
import type { ConnectionFrames, DetectFrameKind } from "./frame-parser.ts";
import type { Output } from "./output.ts";

/** The transport's side of one connection. */
export interface Carrier {
  readonly output: Output;
  /** The parser has used all that came and a send's payload is not complete: more may be taken from the socket directly. */
  receiveDirectly(): void;
  /** Between two requests with nothing left to send. True: the connection went to another shard. */
  moveIfBetter(): boolean;
  /** Whether an error of this code ends the connection without a reply (spec BP 2.7). */
  endsWithoutReply(errorCode: number): boolean;
  /** Whether the connection ends with its client's record: after a reply of 30 or 100 (spec BP 2.7). */
  readonly endsWithRecord: boolean;
  /** Whether what is read of a message is kept until it is whole, out of sight and however large. */
  readonly gathersMessages: boolean;
  pauseReading(): void;
  resumeReading(): void;
  /**
   * Every reply is out and no more come. What the client still sends is ignored; `isPeerDone`: it has ended its side already,
   * so that nothing is left to wait for.
   */
  endSending(isPeerDone: boolean): void;
  /** Cuts the connection. */
  terminate(): void;
}

export interface PipelineOptions {
  readonly context: ServerContext;
  readonly session: Session;
  readonly frameMemory: FrameMemory;
  readonly frames: ConnectionFrames | "auto";
  /** How `auto` decides. */
  readonly detectFrames: DetectFrameKind;
  /** Bytes that wait for their turn. It may hold some that arrived before: on another shard. */
  readonly backlog: Backlog;
  /** Largest send request. */
  readonly requestBytesMax: number;
  /** Most sends that do not fit into the arena and are under way together. */
  readonly largeSendsMax: number;
  /** A small request got its small reply: the client's next one may come within microseconds. */
  readonly onSmallExchange: () => void;
  /** What came is no request: the connection ends. */
  readonly onBroken: () => void;
  /** A send of a client of 0.6 or earlier was refused. */
  readonly onEarlierClient: () => void;
  /** A bug: the request was answered with an error, and the connection goes on. */
  readonly onFault: (code: number, error: unknown) => void;
  /** After the connection is gone, once; not when it moved. */
  readonly onClosed: () => void;
}
