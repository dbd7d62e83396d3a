// What the tests of extensions share: topics whose partitions lie on known shards, messages, and waits that are known to wait.

import type { Client, WaitOptions } from "../../src/client/index.ts";
import { encode } from "../../src/protocol/codec.ts";
import {
  type PollWaitingReply,
  type PollWaitingRequest,
  pollWaitingRequestCodec,
} from "../../src/protocol/extensions/poll-waiting.ts";
import { nameId } from "../../src/protocol/identifier.ts";
import { eventually } from "../support/process-facts.ts";
import type { TestServer } from "../support/server.ts";
import { freshMetrics } from "../transport/fresh-metrics.ts";

export const text = new TextEncoder();
const decoder = new TextDecoder();

export const streamName = "orders";

let topicsCount = 0;

/** A topic of the test's own; its name. */
export async function freshTopic(admin: Client, partitionsCount = 1): Promise<string> {
  const name = `topic-${++topicsCount}`;
  if ((await admin.getStream(streamName)) === undefined) await admin.createStream(streamName);
  await admin.createTopic(streamName, { name, partitionsCount });
  return name;
}

export function send(client: Client, topic: string, partitionId: number, ...payloads: string[]): Promise<void> {
  return client.sendMessages({
    stream: streamName,
    topic,
    partitioning: { kind: "partition", partitionId },
    messages: payloads.map((payload) => ({ payload: text.encode(payload) })),
  });
}

/** From the position on, as a single consumer. */
export function waitOptions(topic: string, changes: Partial<WaitOptions> = {}): WaitOptions {
  return {
    consumer: { kind: "consumer", id: nameId("reader") },
    stream: streamName,
    topic,
    partitionId: 0,
    strategy: { kind: "offset", value: 0n },
    count: 10,
    waitMs: 30_000,
    ...changes,
  };
}

/** The bytes of a request that waits, from position 0 of partition 0 on, as a single consumer; `changes` to that. */
export function waitRequest(topic: string, changes: Partial<PollWaitingRequest> = {}): Uint8Array {
  return encode(pollWaitingRequestCodec, {
    consumer: { kind: "consumer", id: nameId("reader") },
    stream: nameId(streamName),
    topic: nameId(topic),
    partitionId: 0,
    strategy: { kind: "offset", value: 0n },
    count: 10,
    autoCommit: false,
    waitMs: 30_000,
    bytesMax: 0,
    knownAssignment: 0n,
    positions: [],
    ...changes,
  });
}

export function payloadsOf({ polled }: PollWaitingReply): string[] {
  return polled.messages.map(({ payload }) => decoder.decode(payload));
}

/** The value of a metric in what `/metrics` says, all shards together. */
function valueIn(text: string, name: string): number {
  let sum = 0;
  for (const line of text.split("\n")) {
    if (line.startsWith(`${name}{`) || line.startsWith(`${name} `)) sum += Number(line.slice(line.lastIndexOf(" ")));
  }
  return sum;
}

/** One value of the metrics of a server as it is now. */
export async function metric(server: TestServer, name: string): Promise<number> {
  return valueIn(await freshMetrics(server), name);
}

/** Until so many partitions are waited for. */
export async function waitingCount(server: TestServer, count: number): Promise<void> {
  await eventually(
    `${count} waiting polls`,
    async () => {
      const reply = await fetch(`http://127.0.0.1:${server.portOf("http")}/metrics`);
      return valueIn(await reply.text(), "whippet_waiting_polls");
    },
    (now) => now === count,
  );
}
