// What takes part in the comparison of brokers: one that is up, and its own tool that measures it.

import type { Durability } from "../servers/server.ts";

/** Payload of every message of this comparison. */
export const messageSizeBytes = 1_000;
/** Messages in a request, where several are sent or read at once. */
export const batchMessages = 1_000;

/**
 * `one`: a message a request, the next one after the answer. `batch`: as fast as one producer gets them acknowledged, a thousand at a
 * time. `read`: one reader, from the start, nothing acknowledged one by one.
 */
export type BrokerWork = "one" | "batch" | "read";

export type BrokerFigure = {
  readonly messagesPerSecond: number;
  /** From request to answer; only where a request is one message. */
  readonly p99Ms: number | undefined;
};

export type UpContestant = {
  /** About that many messages; what is read has been written before, apart. */
  measure(work: BrokerWork, messages: number): Promise<BrokerFigure>;
  stop(): Promise<void>;
};

export type Contestant = {
  readonly name: string;
  readonly version: string;
  /** For the notes of the table. */
  readonly durability: Readonly<Record<Durability, string>>;
  readonly tool: string;
  /** Most messages in a run, where it keeps them in memory. */
  readonly messagesMax?: number;
  start(durability: Durability): Promise<UpContestant>;
};
