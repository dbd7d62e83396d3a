// The console's side of /ui/live: channels on which the broker says what happens. A lost socket comes back by itself and its
// channels with it, each from where it was.

import type { GroupLag, GroupPlace, Groups, GroupsQuery } from "../protocol/console/groups.ts";
import type { MetricValues } from "../protocol/console/history.ts";
import type { Change, LiveReply, LiveRequest, ScanArgs, Scanned, TailArgs } from "../protocol/console/live.ts";
import type { LogFollowArgs, LogTail } from "../protocol/console/log.ts";
import { IggyError } from "../protocol/errors.ts";
import { decodePolledMessages, type PolledMessage, type PolledMessages } from "../protocol/message/poll-messages.ts";

export type TailHandlers = {
  /** Where to begin; asked again after a loss. */
  readonly args: () => TailArgs;
  readonly batch: (polled: PolledMessages) => void;
  /** Offsets that are left out, since the page is too slow. */
  readonly skipped: (partitionId: number, from: bigint, to: bigint) => void;
  readonly purged: (partitionId: number) => void;
  /** Number and text of the broker's error; the channel is over. */
  readonly failed: (code: number, reason: string) => void;
};

/** Of a channel that says the same thing anew every few seconds. */
export type RepeatHandlers<T> = {
  readonly show: (value: T) => void;
  /** Number and text of the broker's error; the channel is over. */
  readonly failed: (code: number, reason: string) => void;
};

type Repeated = {
  readonly open: (id: number) => LiveRequest;
  readonly handlers: RepeatHandlers<never>;
};

export type TailHandle = {
  /** So many more batches may come. */
  credit(count: number): void;
  close(): void;
};

/** What one look through a part of a partition has found. */
export type ScanResult = Scanned & { readonly found: readonly PolledMessage[] };

type PendingScan = {
  found: readonly PolledMessage[];
  readonly resolve: (result: ScanResult) => void;
  readonly reject: (error: unknown) => void;
};

/** Batches that may come before the page has shown one. */
const firstCredit = 4;
const pauseMsMin = 500;
const pauseMsMax = 15_000;
const idBytes = 4;
/** The channel of changes is always there. */
const changesId = 0;

export class ConsoleLive {
  readonly #url: string;
  readonly #onChange: (change: Change) => void;
  readonly #onBack: () => void;
  readonly #tails = new Map<number, TailHandlers>();
  readonly #metrics = new Map<number, (values: MetricValues, at: bigint) => void>();
  readonly #repeated = new Map<number, Repeated>();
  readonly #scans = new Map<number, PendingScan>();
  #lastId = changesId;
  #socket: WebSocket | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #failures = 0;
  #wasOpen = false;
  #isClosed = false;

  /** `url`: `ws:` or `wss:`. `onBack`: a lost socket is back; what was told meanwhile is not told again. */
  constructor(url: string, onChange: (change: Change) => void, onBack: () => void) {
    this.#url = url;
    this.#onChange = onChange;
    this.#onBack = onBack;
    this.#connect();
  }

  tail(handlers: TailHandlers): TailHandle {
    const id = ++this.#lastId;
    this.#tails.set(id, handlers);
    this.#openTail(id, handlers);
    return {
      credit: (n) => this.#send({ op: "credit", id, n }),
      close: () => {
        if (this.#tails.delete(id)) this.#send({ op: "close", id });
      },
    };
  }

  /** Numbers of the broker, every few seconds, with their time (µs since the epoch); what is returned ends it. Nothing comes for who may not read servers. */
  metrics(show: (values: MetricValues, at: bigint) => void): () => void {
    const id = ++this.#lastId;
    this.#metrics.set(id, show);
    this.#send({ op: "open", id, channel: "metrics" });
    return () => {
      if (this.#metrics.delete(id)) this.#send({ op: "close", id });
    };
  }

  /** How far a group is behind, every 2 s; what is returned ends it. */
  lag(args: GroupPlace, handlers: RepeatHandlers<GroupLag>): () => void {
    return this.#repeat({ open: (id) => ({ op: "open", id, channel: "lag", args }), handlers });
  }

  /** The groups, every 5 s; what is returned ends it. */
  groups(args: GroupsQuery, handlers: RepeatHandlers<Groups>): () => void {
    return this.#repeat({ open: (id) => ({ op: "open", id, channel: "groups", args }), handlers });
  }

  /** Lines of the log as they come; `args` is asked again after a loss. What is returned ends it. */
  log(args: () => LogFollowArgs, handlers: RepeatHandlers<LogTail>): () => void {
    return this.#repeat({ open: (id) => ({ op: "open", id, channel: "log", args: args() }), handlers });
  }

  /** Rejects where the broker has no room for a look, or the socket is lost: then there are polls. */
  scan(args: ScanArgs): Promise<ScanResult> {
    return new Promise((resolve, reject) => {
      if (this.#socket?.readyState !== WebSocket.OPEN) {
        reject(new IggyError("Disconnected"));
        return;
      }
      const id = ++this.#lastId;
      this.#scans.set(id, { found: [], resolve, reject });
      this.#send({ op: "open", id, channel: "scan", args });
    });
  }

  #repeat(repeated: Repeated): () => void {
    const id = ++this.#lastId;
    this.#repeated.set(id, repeated);
    this.#send(repeated.open(id));
    return () => {
      if (this.#repeated.delete(id)) this.#send({ op: "close", id });
    };
  }

  /** Nothing is told any more. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#socket?.close();
  }

  #connect(): void {
    const socket = new WebSocket(this.#url);
    socket.binaryType = "arraybuffer";
    this.#socket = socket;
    socket.onopen = () => {
      this.#failures = 0;
      this.#send({ op: "open", id: changesId, channel: "changes" });
      for (const [id, handlers] of this.#tails) this.#openTail(id, handlers);
      for (const id of this.#metrics.keys()) this.#send({ op: "open", id, channel: "metrics" });
      for (const [id, { open }] of this.#repeated) this.#send(open(id));
      if (this.#wasOpen) this.#onBack();
      this.#wasOpen = true;
    };
    socket.onmessage = ({ data }: MessageEvent<unknown>) => {
      if (typeof data === "string") this.#receive(JSON.parse(data) as LiveReply);
      else if (data instanceof ArrayBuffer) this.#receiveBatch(new Uint8Array(data));
    };
    socket.onclose = () => {
      for (const { reject } of this.#scans.values()) reject(new IggyError("Disconnected"));
      this.#scans.clear();
      if (this.#isClosed) return;
      const boundMs = Math.min(pauseMsMax, pauseMsMin * 2 ** this.#failures++);
      this.#timer = setTimeout(() => this.#connect(), Math.random() * boundMs);
    };
  }

  #openTail(id: number, handlers: TailHandlers): void {
    this.#send({ op: "open", id, channel: "tail", args: handlers.args(), credit: firstCredit });
  }

  /** What cannot be sent now is sent when the socket is back, for all channels are opened anew then. */
  #send(request: LiveRequest): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(request));
  }

  #receive(reply: LiveReply): void {
    if (reply.type === "data") {
      this.#onChange(reply);
      return;
    }
    if (reply.type === "metrics") {
      this.#metrics.get(reply.id)?.(reply.values, BigInt(reply.at));
      return;
    }
    if (reply.type === "lag" || reply.type === "groups" || reply.type === "log") {
      const show = this.#repeated.get(reply.id)?.handlers.show as ((value: object) => void) | undefined;
      show?.(reply.value);
      return;
    }
    if (reply.type === "scanned") {
      const scan = this.#scans.get(reply.id);
      this.#scans.delete(reply.id);
      scan?.resolve({ ...reply, found: scan.found });
      return;
    }
    if (reply.type === "end") this.#end(reply.id, reply.error);
    const handlers = this.#tails.get(reply.id);
    if (handlers === undefined) return; // closed meanwhile
    if (reply.type === "skip") handlers.skipped(reply.partition, BigInt(reply.from), BigInt(reply.to));
    else if (reply.type === "purged") handlers.purged(reply.partition);
    else {
      this.#tails.delete(reply.id);
      handlers.failed(reply.error.code, reply.error.reason);
    }
  }

  #end(id: number, { code, reason }: { readonly code: number; readonly reason: string }): void {
    this.#metrics.delete(id);
    this.#scans.get(id)?.reject(new Error(`${reason} (${code})`));
    this.#scans.delete(id);
    const repeated = this.#repeated.get(id);
    this.#repeated.delete(id);
    repeated?.handlers.failed(code, reason);
  }

  #receiveBatch(bytes: Uint8Array): void {
    const id = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
    const polled = decodePolledMessages(bytes.subarray(idBytes));
    const scan = this.#scans.get(id);
    if (scan === undefined) this.#tails.get(id)?.batch(polled);
    else scan.found = polled.messages;
  }
}
