// A shard's side of counters.test.ts, on a thread of its own: takes the slots of as many partitions as it is told.
import { Counters, type SharedCounters } from "../../src/shard/counters.ts";

declare const self: Worker;

export interface Task {
  readonly shared: SharedCounters;
  readonly count: number;
  /** Of the threads; this one writes the partitions of its number. */
  readonly threads: number;
  readonly thread: number;
}

self.onmessage = ({ data }: MessageEvent<Task>) => {
  const { shared, count, threads, thread } = data;
  const counters = new Counters(shared);
  for (let key = 0; key < count; key++) {
    const isOwner = key % threads === thread;
    counters.addPartition(key, isOwner);
    counters.addTopic(key, isOwner);
    if (!isOwner) continue;
    counters.setPartition(key, {
      segmentsCount: 1,
      currentOffset: key,
      hasMessages: true,
      sizeBytes: 1,
      messagesCount: 1,
    });
  }
  self.postMessage("done");
};
