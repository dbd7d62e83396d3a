// The log for the console: lines of the files, and those that come from now on, for who may take a snapshot, which has them too.
import type { LogFollower } from "../../observability/log-reader.ts";
import {
  type LogArgs,
  type LogFollowArgs,
  type LogReply,
  type LogTail,
  logLimits,
} from "../../protocol/console/log.ts";
import { IggyError } from "../../protocol/errors.ts";
import type { ServerContext } from "../context.ts";
import { requireLogin, requireRight } from "../rights.ts";
import type { Session } from "../session.ts";
import type { Channel } from "./tail.ts";

/** Between looks at how much was written, which cost nothing but the look. */
const lookMs = 500;

export interface LogQuery extends LogArgs {
  /** Lines before this place, or this one and those before it. */
  readonly before?: string;
  readonly at?: string;
  readonly limit: number;
}

/** Errors: 40, 41, ResourceNotFound (20) for a place that is in no file any more. */
export async function logOf({ shard, logReader }: ServerContext, session: Session, query: LogQuery): Promise<LogReply> {
  requireLogin(session);
  requireRight(shard, session, "getSnapshot");
  if (logReader === undefined) return { enabled: false, lines: [], scannedBytes: 0 };
  const { before, at, limit, ...filter } = query;
  const from = { ...(before === undefined ? {} : { before }), ...(at === undefined ? {} : { at }) };
  const part = await logReader.read(from, filter, Math.min(limit, logLimits.lines));
  if (part === undefined) throw new IggyError("ResourceNotFound", ["log line"]);
  return { enabled: true, ...part };
}

export interface LogViewer {
  /** Whether the socket takes more. */
  readonly takesMore: boolean;
  show(tail: LogTail): void;
  failed(error: unknown): void;
}

/** The channel of one viewer. */
export class LogChannel implements Channel {
  readonly #context: ServerContext;
  readonly #session: Session;
  readonly #viewer: LogViewer;
  readonly #timer: Timer;
  readonly #follower: LogFollower;
  #isReading = false;
  #isOver = false;

  /** Errors: 41; FeatureUnavailable (5) where nothing is logged to files. */
  constructor(context: ServerContext, session: Session, args: LogFollowArgs, viewer: LogViewer) {
    this.#context = context;
    this.#session = session;
    this.#viewer = viewer;
    this.recheck();
    if (context.logReader === undefined) throw new IggyError("FeatureUnavailable");
    this.#timer = setInterval(() => this.#look(), lookMs);
    const { from, ...filter } = args;
    this.#follower = context.logReader.follow(filter, from);
    this.#look();
  }

  credit(): void {}

  drained(): void {
    this.#look();
  }

  recheck(): void {
    requireRight(this.#context.shard, this.#session, "getSnapshot");
  }

  close(): void {
    this.#isOver = true;
    clearInterval(this.#timer);
  }

  #look(): void {
    const follower = this.#follower;
    if (this.#isReading || this.#isOver || !this.#viewer.takesMore || !follower.hasMore) return;
    this.#isReading = true;
    follower
      .next()
      .then(
        (tail) => {
          if (!this.#isOver && (tail.lines.length > 0 || tail.skippedBytes > 0)) this.#viewer.show(tail);
        },
        (error: unknown) => this.#viewer.failed(error),
      )
      .finally(() => {
        this.#isReading = false;
      });
  }
}
