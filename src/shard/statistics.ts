// What one shard has done since it started, for metrics: how long commands took, bytes by transport, what went to other
// shards. Plain numbers that this shard alone writes; shard 0 asks for them when somebody asks it.
import { type EventKey, eventKeys, type MetricSample } from "../observability/counters.ts";
import { CommandCode } from "../protocol/codes.ts";
import type { ErrorName } from "../protocol/errors.ts";
import { ExtensionCode, extensionNameOf } from "../protocol/extensions/codes.ts";
import type { Transport } from "../protocol/records/enumerations.ts";
import { NewCommandCode } from "../protocol/v09/operations.ts";
import type { SegmentHolder } from "../storage/index.ts";

/** Upper bounds of the classes of durations, ms: from a poll out of memory to a sync on a slow disk. Above them is one more. */
export const durationBoundsMs = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 1000, 5000] as const;

export interface CommandStatistics {
  /** Of the command (protocol/codes.ts). */
  readonly code: number;
  /** How many took at most as long as each bound and longer than the one before; the last is for all longer ones. */
  readonly counts: readonly number[];
  readonly totalMs: number;
}

/** To the mailboxes of all other shards. */
export interface MailboxStatistics {
  /** Requests so far: what was forwarded. */
  readonly sentCount: number;
  /** Of them, those that had to wait for credit. */
  readonly waitedCount: number;
  /** Under way or waiting now. */
  readonly depth: number;
}

/** A partition of which a consumer holds segments back. */
export interface HeldPartition extends SegmentHolder {
  readonly partitionKey: number;
}

/** Plain data. */
export interface ShardStatistics {
  readonly shardId: number;
  readonly commands: readonly CommandStatistics[];
  /** Of the table of metrics (observability/counters.ts). */
  readonly samples: readonly MetricSample[];
  readonly held: readonly HeldPartition[];
  /** Messages in replies and pushes. */
  readonly deliveredMessages: number;
  /** Commands that were answered with an error. */
  readonly failedCommands: number;
}

const transports = ["tcp", "quic", "http", "websocket"] as const satisfies readonly Transport[];
const codeMax = Math.max(...Object.values(CommandCode), ...Object.values(NewCommandCode));
const firstExtension = Math.min(...Object.values(ExtensionCode));
/** Classes, then the sum. */
const totalIndex = durationBoundsMs.length + 1;

export class Statistics {
  /** By code; commands of our own behind the others. */
  readonly #commands: (Float64Array | undefined)[] = [];
  readonly #events = Object.fromEntries(eventKeys.map((key) => [key, 0])) as Record<EventKey, number>;
  /** Payloads of requests. */
  readonly #receivedBytes: Record<Transport, number> = { tcp: 0, quic: 0, http: 0, websocket: 0 };
  /** Payloads of replies. */
  readonly #sentBytes: Record<Transport, number> = { tcp: 0, quic: 0, http: 0, websocket: 0 };

  #deliveredMessages = 0;
  /** By the names of their errors. */
  readonly #failedCommands = new Map<ErrorName, number>();

  /** Something of the table of metrics happened `by` times. */
  add(key: EventKey, by = 1): void {
    this.#events[key] += by;
  }

  /** It happened so often up to now, as somebody else has counted. */
  set(key: EventKey, count: number): void {
    this.#events[key] = count;
  }

  /** How often it happened up to now. */
  countOf(key: EventKey): number {
    return this.#events[key];
  }

  /** A command was answered, with a success or an error, after `durationMs`. Codes that no command has are not counted. */
  answered(code: number, durationMs: number): void {
    const place = placeOf(code);
    if (place === undefined) return;
    let row = this.#commands[place];
    if (row === undefined) {
      row = new Float64Array(totalIndex + 1);
      this.#commands[place] = row;
    }
    let index = 0;
    while (index < durationBoundsMs.length && durationMs > durationBoundsMs[index]!) index++;
    row[index]!++;
    row[totalIndex]! += durationMs;
  }

  /** So many messages went out in one reply or push. */
  delivered(messagesCount: number): void {
    this.#deliveredMessages += messagesCount;
  }

  /** A command was answered with an error. */
  failed(error: ErrorName): void {
    this.#failedCommands.set(error, (this.#failedCommands.get(error) ?? 0) + 1);
  }

  received(transport: Transport, sizeBytes: number): void {
    this.#receivedBytes[transport] += sizeBytes;
  }

  sent(transport: Transport, sizeBytes: number): void {
    this.#sentBytes[transport] += sizeBytes;
  }

  snapshot(shardId: number, mailbox: MailboxStatistics, held: readonly HeldPartition[] = []): ShardStatistics {
    const commands: CommandStatistics[] = [];
    this.#commands.forEach((row, place) => {
      if (row !== undefined)
        commands.push({ code: codeAt(place), counts: [...row.subarray(0, totalIndex)], totalMs: row[totalIndex]! });
    });
    return {
      shardId,
      commands,
      samples: this.#samples(String(shardId), mailbox),
      held,
      deliveredMessages: this.#deliveredMessages,
      failedCommands: this.#failedCommands.values().reduce((sum, count) => sum + count, 0),
    };
  }

  #samples(shard: string, mailbox: MailboxStatistics): MetricSample[] {
    const labels = { shard };
    return [
      { key: "mailboxDepth", labels, value: mailbox.depth },
      { key: "forwardedRequests", labels, value: mailbox.sentCount },
      { key: "mailboxWaits", labels, value: mailbox.waitedCount },
      { key: "deliveredMessages", labels, value: this.#deliveredMessages },
      ...[...this.#failedCommands].map(
        ([error, value]): MetricSample => ({ key: "commandErrors", labels: { error }, value }),
      ),
      ...eventKeys.map((key) => ({ key, labels, value: this.#events[key] })),
      ...transports.flatMap((transport): MetricSample[] => [
        { key: "receivedBytes", labels: { transport }, value: this.#receivedBytes[transport] },
        { key: "sentBytes", labels: { transport }, value: this.#sentBytes[transport] },
      ]),
    ];
  }
}

function placeOf(code: number): number | undefined {
  if (code <= codeMax) return code;
  return extensionNameOf(code) === undefined ? undefined : codeMax + 1 + code - firstExtension;
}

function codeAt(place: number): number {
  return place <= codeMax ? place : place - codeMax - 1 + firstExtension;
}
