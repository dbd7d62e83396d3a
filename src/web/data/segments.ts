// The segments of all partitions of a topic, for what retention would remove.
import { partitionSegments } from "../../client/console-client.ts";
import type { Segment } from "./retention.ts";

/** By partition, oldest first. Rejects with a ConsoleError. */
export function segmentsOf(
  stream: string,
  topic: string,
  partitionIds: readonly number[],
): Promise<readonly (readonly Segment[])[]> {
  return Promise.all(partitionIds.map((id) => ofPartition(stream, topic, id)));
}

async function ofPartition(stream: string, topic: string, partitionId: number): Promise<readonly Segment[]> {
  const segments: Segment[] = [];
  let after: string | undefined;
  do {
    const { items, next } = await partitionSegments(stream, topic, partitionId, after);
    for (const { start, end, bytes, lastTimestamp, sealed } of items) {
      segments.push({
        messages: BigInt(end) - BigInt(start),
        bytes: BigInt(bytes),
        lastMicros: lastTimestamp === undefined ? undefined : BigInt(lastTimestamp),
        isSealed: sealed,
      });
    }
    after = next;
  } while (after !== undefined);
  return segments;
}
