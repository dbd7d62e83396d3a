// The rows of the comparison with the original: what is sent or read, and what Whippet wants to reach.

import type { Durability } from "./servers/server.ts";
import type { IggyTransport } from "./tools/iggy-bench.ts";

export type OriginalRow = {
  readonly name: string;
  readonly title: string;
  readonly durability: Durability;
  readonly does: "send" | "read";
  readonly transport: IggyTransport;
  /** Connections, each with a stream of one partition. */
  readonly actors: number;
  /** Connections into one partition: the tool has no kind for that, so as many of it run at once, each with one actor. */
  readonly onePartition: boolean;
  readonly messagesPerBatch: number;
  readonly messageSizeBytes: number;
  /** Batches of each actor that say how many are sent in the measured runs. */
  readonly trialBatches: number;
  /** Whippet's rate divided by the original's. */
  readonly target: number;
  /** While another program keeps every core busy. */
  readonly isBusy: boolean;
};

const defaults = {
  durability: "write",
  does: "send",
  transport: "tcp",
  actors: 1,
  onePartition: false,
  messagesPerBatch: 1_000,
  messageSizeBytes: 1_000,
  trialBatches: 200,
  isBusy: false,
} as const;
const oneMessage = { messagesPerBatch: 1, trialBatches: 3_000 } as const;
const synced = { durability: "sync", trialBatches: 50 } as const;
const reads = { does: "read", trialBatches: 200 } as const;

const big = "1,000 × 1,000 B";
type Named = Pick<OriginalRow, "name" | "title" | "target">;
const row = (named: Named, ...others: readonly Partial<OriginalRow>[]): OriginalRow =>
  Object.assign({}, defaults, ...others, named);

/** In the order in which a round runs them: those of one level together, those that read after those that send. */
export const originalRows: readonly OriginalRow[] = [
  row({ name: "producer-1", title: `${big}, 1 producer`, target: 1.15 }),
  row({ name: "producer-4", title: `${big}, 4 producers`, target: 1.1 }, { actors: 4, trialBatches: 100 }),
  row({ name: "small", title: "1,000 × 100 B, 1 producer", target: 1.1 }, { messageSizeBytes: 100, trialBatches: 500 }),
  row({ name: "one", title: "one message a request, 1 connection", target: 2 }, oneMessage),
  row({ name: "one-8", title: "one message a request, 8 connections", target: 1.3 }, oneMessage, { actors: 8 }),
  row({ name: "websocket-producer", title: `WebSocket, ${big}, producer`, target: 1.1 }, { transport: "websocket" }),
  row({ name: "quic-producer", title: `QUIC, ${big}, producer`, target: 1 }, { transport: "quic", trialBatches: 50 }),
  row({ name: "http-producer", title: `HTTP, ${big}, producer`, target: 1.3 }, { transport: "http", trialBatches: 50 }),
  row({ name: "consumer-1", title: `${big}, 1 consumer`, target: 1.5 }, reads),
  row({ name: "websocket-consumer", title: `WebSocket, ${big}, consumer`, target: 1.3 }, reads, {
    transport: "websocket",
  }),
  row({ name: "quic-consumer", title: `QUIC, ${big}, consumer`, target: 1 }, reads, { transport: "quic" }),
  row({ name: "http-consumer", title: `HTTP, ${big}, consumer`, target: 1.4 }, reads, { transport: "http" }),
  row({ name: "consumer-4", title: `${big}, 4 consumers`, target: 1.3 }, reads, { actors: 4, trialBatches: 100 }),
  row({ name: "busy", title: "one message a request, 1 connection, busy machine", target: 1 }, oneMessage, {
    isBusy: true,
    trialBatches: 1_000,
  }),
  row({ name: "sync-producer", title: `sync: ${big}, 1 producer`, target: 1.5 }, synced),
  row({ name: "sync-one", title: "sync: one message a request, 1 connection", target: 1.5 }, oneMessage, synced),
  row(
    { name: "sync-one-8", title: "sync: one message a request, 8 connections, 8 partitions", target: 2 },
    oneMessage,
    synced,
    {
      actors: 8,
    },
  ),
  row(
    { name: "sync-one-partition", title: "sync: one message a request, 8 connections, 1 partition", target: 3.5 },
    oneMessage,
    synced,
    {
      actors: 8,
      onePartition: true,
    },
  ),
];

/** Most that one run may send: more, and the system begins to hold writers back to get it to the disk. */
const bytesMax = 3_000_000_000;

/**
 * Batches for each actor of a measured run that should take `seconds`, from what the servers did in the trial; the same for both, so
 * that both do the same work. At least ten, at most 3 GB in all.
 */
export function batchesFor(row: OriginalRow, trialRates: readonly number[], seconds: number): number {
  const rate = trialRates.reduce((sum, messagesPerSecond) => sum + messagesPerSecond, 0) / trialRates.length;
  const messages = Math.min(rate * seconds, bytesMax / row.messageSizeBytes);
  return Math.max(10, Math.round(messages / row.messagesPerBatch / row.actors));
}
