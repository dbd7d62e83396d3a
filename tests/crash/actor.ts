// What the actors of a load have in common: a client, its history, and the requests that more than one kind of actor makes.
import type { Client } from "../../src/client/index.ts";
import { seededRandom } from "../../src/platform/random.ts";
import {
  GroupHistory,
  type History,
  PartitionHistory,
  type SegmentDeletion,
  StreamHistory,
  TopicHistory,
} from "./history.ts";
import { payloadOf } from "./payload.ts";

export interface Place {
  readonly stream: StreamHistory;
  readonly topic: TopicHistory;
}

export class Actor {
  readonly client: Client;
  readonly history: History;
  readonly producer: number;
  readonly #random: ReturnType<typeof seededRandom>;

  constructor(client: Client, history: History, producer: number, seed: number) {
    this.client = client;
    this.history = history;
    this.producer = producer;
    this.#random = seededRandom(seed);
  }

  below(limit: number): number {
    return this.#random.u32() % limit;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!;
  }

  async createStream(name: string): Promise<StreamHistory> {
    let stream: StreamHistory | undefined;
    await this.history.run(
      (call) => {
        stream = new StreamHistory(name, call);
        this.history.streams.push(stream);
      },
      () => this.client.createStream(name),
    );
    return stream!;
  }

  deleteStream(stream: StreamHistory): Promise<void> {
    return this.history.run(
      (call) => {
        stream.removed = call;
      },
      () => this.client.deleteStream(stream.name),
    );
  }

  async createTopic(
    stream: StreamHistory,
    name: string,
    partitionsCount: number,
    maxTopicSizeBytes?: bigint,
  ): Promise<TopicHistory> {
    const hasSizeLimit = maxTopicSizeBytes !== undefined;
    let topic: TopicHistory | undefined;
    await this.history.run(
      (call) => {
        topic = new TopicHistory(name, call);
        for (let id = 0; id < partitionsCount; id++) {
          topic.partitions.push(new PartitionHistory(id, this.history.newMark(), call, hasSizeLimit));
        }
        stream.topics.push(topic);
      },
      () => {
        const limit = hasSizeLimit ? { maxTopicSizeBytes } : {};
        return this.client.createTopic(stream.name, { name, partitionsCount, ...limit });
      },
    );
    return topic!;
  }

  deleteTopic({ stream, topic }: Place): Promise<void> {
    return this.history.run(
      (call) => {
        topic.removed = call;
      },
      () => this.client.deleteTopic(stream.name, topic.name),
    );
  }

  /** One more partition. */
  addPartition({ stream, topic }: Place): Promise<void> {
    return this.history.run(
      (call) => {
        const id = partitionsOf(topic).length;
        topic.partitions.push(new PartitionHistory(id, this.history.newMark(), call, false));
      },
      () => this.client.createPartitions(stream.name, topic.name, 1),
    );
  }

  /** The last one goes. */
  deletePartition({ stream, topic }: Place): Promise<void> {
    const last = partitionsOf(topic).at(-1)!;
    return this.history.run(
      (call) => {
        last.removed = call;
        for (const { offsets } of topic.groups) {
          offsets.get(last.id)?.push({ value: undefined, call, isDurableAtOnce: true });
        }
      },
      () => this.client.deletePartitions(stream.name, topic.name, 1),
    );
  }

  async createGroup({ stream, topic }: Place, name: string): Promise<GroupHistory> {
    let group: GroupHistory | undefined;
    await this.history.run(
      (call) => {
        group = new GroupHistory(name, call);
        topic.groups.push(group);
      },
      () => this.client.createConsumerGroup(stream.name, topic.name, name),
    );
    return group!;
  }

  deleteGroup({ stream, topic }: Place, group: GroupHistory): Promise<void> {
    return this.history.run(
      (call) => {
        group.removed = call;
      },
      () => this.client.deleteConsumerGroup(stream.name, topic.name, group.name),
    );
  }

  purgeTopic({ stream, topic }: Place): Promise<void> {
    return this.history.run(
      (call) => {
        for (const partition of partitionsOf(topic)) partition.purge(call);
        for (const group of topic.groups) {
          for (const settings of group.offsets.values())
            settings.push({ value: undefined, call, isDurableAtOnce: true });
        }
      },
      () => this.client.purgeTopic(stream.name, topic.name),
    );
  }

  send({ stream, topic }: Place, partition: PartitionHistory, count: number, sizeBytesMax: number): Promise<void> {
    const { producer } = this;
    const firstNumber = partition.take(producer, count);
    const purgesBefore = partition.purgesCount;
    const messages = Array.from({ length: count }, (_, index) => {
      const name = { mark: partition.mark, producer, number: firstNumber + index, purgesBefore };
      return { payload: payloadOf(name, this.below(sizeBytesMax)) };
    });
    return this.history.run(
      (call) => partition.sends.push({ producer, firstNumber, count, purgesBefore, call }),
      () =>
        this.client.sendMessages({
          stream: stream.name,
          topic: topic.name,
          partitioning: { kind: "partition", partitionId: partition.id },
          messages,
        }),
    );
  }

  /** Removes the oldest segment, if it is sealed, and looks where the partition begins then. */
  async deleteSegment({ stream, topic }: Place, partition: PartitionHistory): Promise<void> {
    let deletion: SegmentDeletion | undefined;
    await this.history.run(
      (call) => {
        deletion = { call, firstOffset: undefined, isEmpty: false };
        partition.segmentDeletions.push(deletion);
      },
      () => this.client.deleteSegments(stream.name, topic.name, partition.id, 1),
    );
    const { messages, currentOffset } = await this.client.pollMessages({
      consumer: { kind: "consumer", id: { kind: "numeric", value: 1 } },
      stream: stream.name,
      topic: topic.name,
      partitionId: partition.id,
      strategy: { kind: "offset", value: 0n },
      count: 1,
    });
    deletion!.isEmpty = messages.length === 0;
    deletion!.firstOffset = Number(messages[0]?.offset ?? currentOffset + 1n);
  }

  /** Stores the offset of the last message that is there for certain, if there is any. */
  async storeOffset({ stream, topic }: Place, partition: PartitionHistory, consumer: number): Promise<void> {
    const value = BigInt(partition.certainCount - 1);
    if (value < 0n) return;
    await this.history.run(
      (call) => partition.setOffset(consumer, { value, call, isDurableAtOnce: false }),
      () =>
        this.client.storeConsumerOffset({
          consumer: { kind: "consumer", id: { kind: "numeric", value: consumer } },
          stream: stream.name,
          topic: topic.name,
          partitionId: partition.id,
          offset: value,
        }),
    );
  }

  /** Joins the group, stores an offset for it in each partition, and leaves. */
  async storeGroupOffsets({ stream, topic }: Place, group: GroupHistory): Promise<void> {
    await this.client.joinConsumerGroup(stream.name, topic.name, group.name);
    for (const partition of partitionsOf(topic)) {
      const value = BigInt(partition.certainCount - 1);
      if (value < 0n) continue;
      const settings = group.offsets.get(partition.id) ?? [];
      group.offsets.set(partition.id, settings);
      await this.history.run(
        (call) => settings.push({ value, call, isDurableAtOnce: false }),
        () =>
          this.client.storeConsumerOffset({
            consumer: { kind: "group", id: { kind: "string", value: group.name } },
            stream: stream.name,
            topic: topic.name,
            partitionId: partition.id,
            offset: value,
          }),
      );
    }
    await this.client.leaveConsumerGroup(stream.name, topic.name, group.name);
  }
}

/** Partitions that are there as far as the load knows, by number. */
export function partitionsOf(topic: TopicHistory): readonly PartitionHistory[] {
  return topic.partitions.filter(({ removed }) => removed === undefined).sort((left, right) => left.id - right.id);
}
