// What one shard has done since it started, for metrics: how long commands took, bytes by transport, what went to other
// shards. Plain numbers that this shard alone writes; shard 0 asks for them when somebody asks it.
import { CommandCode } from "../protocol/codes.ts";
import type { Transport } from "../protocol/records/enumerations.ts";

/** Upper bounds of the classes of durations, ms: from a poll out of memory to a sync on a slow disk. Above them is one more. */
export const durationBoundsMs = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 1000, 5000] as const;

export interface CommandStatistics {
  /** Of the command (protocol/codes.ts). */
  readonly code: number;
  /** How many took at most as long as each bound and longer than the one before; the last is for all longer ones. */
  readonly counts: readonly number[];
  readonly totalMs: number;
}

export interface TransportStatistics {
  /** Payloads of requests. */
  readonly receivedBytes: number;
  /** Payloads of replies. */
  readonly sentBytes: number;
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

/** Plain data. */
export interface ShardStatistics {
  readonly shardId: number;
  readonly commands: readonly CommandStatistics[];
  readonly transports: Readonly<Record<Transport, TransportStatistics>>;
  readonly mailbox: MailboxStatistics;
  /** Connections that were handed to another shard. */
  readonly movedConnections: number;
}

const codeMax = Math.max(...Object.values(CommandCode));
/** Classes, then the sum. */
const totalIndex = durationBoundsMs.length + 1;

export class Statistics {
  /** By code. */
  readonly #commands: (Float64Array | undefined)[] = [];
  readonly #transports: Record<Transport, { receivedBytes: number; sentBytes: number }> = {
    tcp: { receivedBytes: 0, sentBytes: 0 },
    quic: { receivedBytes: 0, sentBytes: 0 },
    http: { receivedBytes: 0, sentBytes: 0 },
    websocket: { receivedBytes: 0, sentBytes: 0 },
  };
  #movedConnections = 0;

  /** A command was answered, with a success or an error, after `durationMs`. Codes that no command has are not counted. */
  answered(code: number, durationMs: number): void {
    if (code > codeMax) return;
    let row = this.#commands[code];
    if (row === undefined) {
      row = new Float64Array(totalIndex + 1);
      this.#commands[code] = row;
    }
    let index = 0;
    while (index < durationBoundsMs.length && durationMs > durationBoundsMs[index]!) index++;
    row[index]!++;
    row[totalIndex]! += durationMs;
  }

  received(transport: Transport, sizeBytes: number): void {
    this.#transports[transport].receivedBytes += sizeBytes;
  }

  sent(transport: Transport, sizeBytes: number): void {
    this.#transports[transport].sentBytes += sizeBytes;
  }

  movedConnection(): void {
    this.#movedConnections++;
  }

  snapshot(shardId: number, mailbox: MailboxStatistics): ShardStatistics {
    const commands: CommandStatistics[] = [];
    this.#commands.forEach((row, code) => {
      if (row !== undefined)
        commands.push({ code, counts: [...row.subarray(0, totalIndex)], totalMs: row[totalIndex]! });
    });
    return {
      shardId,
      commands,
      transports: structuredClone(this.#transports),
      mailbox,
      movedConnections: this.#movedConnections,
    };
  }
}
