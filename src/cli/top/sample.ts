// What `whippet top` asks a server for, of one moment. What the user may not read is left out and named.

import { type Client, IggyError } from "../../client/index.bun.ts";
import { numericId } from "../../protocol/identifier.ts";
import type { Stats } from "../../protocol/records/stats.ts";
import type { TopicDetails } from "../../protocol/records/topic-details.ts";
import { transportText } from "../api/system.ts";
import { committedOffsets, type Lag, lagOf } from "../commands/group-lag.ts";

export interface PartitionSample extends Lag {
  readonly id: number;
}

export interface GroupSample {
  readonly id: number;
  readonly name: string;
  readonly membersCount: number;
  /** Empty where the offsets may not be read. */
  readonly partitions: readonly PartitionSample[];
}

export interface TopicSample {
  readonly streamId: number;
  readonly streamName: string;
  readonly id: number;
  readonly name: string;
  readonly sizeBytes: bigint;
  readonly messagesCount: bigint;
  /** Messages that its partitions ever got, from their offsets: retention does not take it back. */
  readonly written: bigint;
  readonly groups: readonly GroupSample[];
}

export interface ClientSample {
  readonly clientId: number;
  /** Name of the user, or the number where names may not be read; undefined before a login. */
  readonly user: string | undefined;
  readonly address: string;
  readonly transport: string;
  /** `billing in orders/created`. */
  readonly groups: readonly string[];
}

export interface Sample {
  /** Of this machine, since the epoch. */
  readonly takenAtMicros: bigint;
  /** Of a clock that never goes back. */
  readonly takenAtMs: number;
  readonly stats: Stats | undefined;
  readonly topics: readonly TopicSample[];
  readonly clients: readonly ClientSample[];
  /** What the rights do not allow: "stats", "groups of orders/created", … */
  readonly leftOut: readonly string[];
}

/** Asks for everything once. Rejects if the server does not answer; a missing right, and a topic that has just gone, are no errors. */
export async function takeSample(client: Client, nowMs: () => number): Promise<Sample> {
  return await new Sampling(client).take(nowMs);
}

class Sampling {
  readonly #client: Client;
  readonly #leftOut = new Set<string>();

  constructor(client: Client) {
    this.#client = client;
  }

  async take(nowMs: () => number): Promise<Sample> {
    const takenAtMs = nowMs();
    const takenAtMicros = BigInt(Date.now()) * 1000n;
    const [stats, topics] = await Promise.all([this.#allowed("stats", () => this.#client.getStats()), this.#topics()]);
    const clients = await this.#clients(topics);
    return { takenAtMicros, takenAtMs, stats, topics, clients, leftOut: [...this.#leftOut] };
  }

  /** The answer; undefined if it is refused for want of a right, or if what it is about has gone. */
  async #allowed<T>(what: string, ask: () => Promise<T>): Promise<T | undefined> {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof IggyError)) throw error;
      if (error.errorName === "Unauthorized") this.#leftOut.add(what);
      else if (!error.errorName.endsWith("NotFound")) throw error;
      return undefined;
    }
  }

  async #topics(): Promise<TopicSample[]> {
    const streams = (await this.#allowed("streams", () => this.#client.getStreams())) ?? [];
    const all: TopicSample[] = [];
    // One stream after the other: a server with thousands of topics is not asked for all of them in one breath.
    for (const stream of streams) {
      const headers = await this.#allowed(`topics of ${stream.name}`, () => this.#client.getTopics(stream.id));
      const topics = (headers ?? []).map(async ({ id, name }) => {
        const details = await this.#allowed(`${stream.name}/${name}`, () => this.#client.getTopic(stream.id, id));
        return details === undefined ? [] : [await this.#topic(stream.id, stream.name, details)];
      });
      all.push(...(await Promise.all(topics)).flat());
    }
    return all;
  }

  async #topic(streamId: number, streamName: string, topic: TopicDetails): Promise<TopicSample> {
    const { id, name, sizeBytes, messagesCount, partitions } = topic;
    const place = `${streamName}/${name}`;
    const headers = await this.#allowed(`groups of ${place}`, () => this.#client.getConsumerGroups(streamId, id));
    const topicPlace = { stream: numericId(streamId), topic: numericId(id) };
    const groups = (headers ?? []).map(async (group): Promise<GroupSample> => {
      const consumer = { kind: "group", id: numericId(group.id) } as const;
      const committed = await this.#allowed(`offsets of ${group.name} in ${place}`, () =>
        committedOffsets(this.#client, topicPlace, consumer, partitions),
      );
      return {
        id: group.id,
        name: group.name,
        membersCount: group.membersCount,
        partitions:
          committed === undefined
            ? []
            : partitions.map((partition, index) => ({ id: partition.id, ...lagOf(partition, committed[index]) })),
      };
    });
    const written = partitions.reduce((sum, partition) => sum + nextOffsetOf(lagOf(partition, undefined).head), 0n);
    return { streamId, streamName, id, name, sizeBytes, messagesCount, written, groups: await Promise.all(groups) };
  }

  async #clients(topics: readonly TopicSample[]): Promise<ClientSample[]> {
    const headers = await this.#allowed("clients", () => this.#client.getClients());
    if (headers === undefined) return [];
    const users = (await this.#allowed("names of users", () => this.#client.getUsers())) ?? [];
    const userNames = new Map(users.map(({ id, username }) => [id, username]));
    const groupNames = new Map(
      topics.flatMap(({ streamId, streamName, id, name, groups }) =>
        groups.map((group) => [`${streamId} ${id} ${group.id}`, `${group.name} in ${streamName}/${name}`] as const),
      ),
    );
    const clients = headers.map(async ({ clientId, userId, address, transport, consumerGroupsCount }) => {
      const details =
        consumerGroupsCount === 0
          ? undefined
          : await this.#allowed("groups of clients", () => this.#client.getClient(clientId));
      const groups = (details?.consumerGroups ?? []).map(
        ({ streamId, topicId, groupId }) =>
          groupNames.get(`${streamId} ${topicId} ${groupId}`) ?? `${groupId} in ${streamId}/${topicId}`,
      );
      const user = userId === undefined ? undefined : (userNames.get(userId) ?? String(userId));
      return { clientId, user, address, transport: transportText(transport), groups };
    });
    return await Promise.all(clients);
  }
}

/** How many messages a partition with this last offset ever got, or a group that has committed it has read. */
export function nextOffsetOf(offset: bigint | undefined): bigint {
  return offset === undefined ? 0n : offset + 1n;
}
