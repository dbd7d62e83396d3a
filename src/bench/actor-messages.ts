// What the coordinating process and the actor processes say to each other: one JSON document a line, jobs and commands on
// the actor process's stdin, events on its stdout. The password travels there too, not in the process list.

import type { SecondData } from "./latency-series.ts";
import type { CheckCounts } from "./poll-check.ts";
import type { OffsetRange } from "./ranges.ts";
import type { Target } from "./target.ts";

export type ActorRole = "producer" | "consumer" | "end-to-end";

export type ActorTask = {
  readonly role: ActorRole;
  /** 0-based; names the stream, unless all share one. */
  readonly index: number;
  /** For a consumer: how many messages its partition holds; undefined if they are being written meanwhile. */
  readonly availableMessages: number | undefined;
};

export type ActorJob = {
  readonly target: Target;
  /** balanced: one stream for all, and consumers are members of its group. */
  readonly placement: "pinned" | "balanced";
  /** Of each stream. */
  readonly partitionsCount: number;
  /** End to end: whether a second connection polls. */
  readonly separate: boolean;
  readonly messagesPerBatch: number;
  readonly messageSizeBytes: number;
  readonly batches: number | undefined;
  readonly seconds: number | undefined;
  readonly warmupSeconds: number;
  readonly pipelineDepth: number;
  /** Payload bytes a second that all producers together are to send, by a schedule; undefined: closed loop. */
  readonly bytesPerSecond: number | undefined;
  /** How many share it. */
  readonly producersCount: number;
  readonly tasks: readonly ActorTask[];
};

/** `total`: a consumer may stop when it has read so many messages, because no more will come. `end`: all actors are done. */
export type ActorCommand =
  | { readonly kind: "go" }
  | { readonly kind: "total"; readonly index: number; readonly messages: number }
  | { readonly kind: "end" };

export type ActorResult = {
  readonly role: ActorRole;
  readonly index: number;
  /** Of the measured part; µs since the epoch. */
  readonly startMicros: number;
  readonly endMicros: number;
  /** In the measured part. */
  readonly messages: number;
  readonly requests: number;
  readonly emptyPolls: number;
  /** With the warm-up: a producer's acknowledged messages, a consumer's checked ones. */
  readonly messagesInAll: number;
  /** Of a schedule: planned, and not sent. */
  readonly unsentRequests: number;
  readonly perSecond: readonly SecondData[];
  /** Of all messages, the warm-up's too; undefined for a producer. */
  readonly checks: CheckCounts | undefined;
  /** Of a member of a group: what it got, in all. */
  readonly ranges: readonly OffsetRange[];
};

export type ActorEvent =
  | { readonly kind: "ready" }
  | { readonly kind: "progress"; readonly producedMessages: number; readonly consumedMessages: number }
  | { readonly kind: "result"; readonly result: ActorResult }
  | { readonly kind: "failed"; readonly message: string };

/** Messages done so far by the actors of one process. */
export type ProgressCounter = { producedMessages: number; consumedMessages: number };

/** Lines of a byte stream, without their ends; empty ones are left out. */
export async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of stream) {
    rest += decoder.decode(chunk, { stream: true });
    const lines = rest.split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) if (line !== "") yield line;
  }
  if (rest !== "") yield rest;
}
