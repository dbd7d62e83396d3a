// The clients that are not hostile: a stream with a topic, and sends and polls that must not notice the others.
import { expect } from "bun:test";
import { expectQuick } from "../support/quiet-machine.ts";
import type { TestServer } from "../support/server.ts";

export const mebibyte = 1024 * 1024;

export async function prepare(target: TestServer): Promise<void> {
  const client = await target.connect();
  await client.createStream("calm");
  await client.createTopic("calm", { name: "calm", partitionsCount: 2 });
  client.close();
}

/** Another client sends and polls as if nothing had happened; on a quiet machine none of its exchanges takes a second. */
export async function serveOthers(target: TestServer, rounds = 2): Promise<void> {
  const client = await target.connect();
  let slowestMs = 0;
  for (let round = 0; round < rounds; round++) {
    const startMs = performance.now();
    const partitionId = round % 2;
    await client.sendMessages({
      stream: "calm",
      topic: "calm",
      partitioning: { kind: "partition", partitionId },
      messages: [{ payload: new Uint8Array(200).fill(round) }],
    });
    const polled = await client.pollMessages({
      consumer: { kind: "consumer", id: { kind: "numeric", value: 1 } },
      stream: "calm",
      topic: "calm",
      partitionId,
      strategy: { kind: "last", value: 0n },
      count: 1,
    });
    expect(polled.messages[0]!.payload).toEqual(new Uint8Array(200).fill(round));
    slowestMs = Math.max(slowestMs, performance.now() - startMs);
  }
  client.close();
  expectQuick("the slowest exchange of another client", slowestMs, 1000);
}

export function joined(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}
