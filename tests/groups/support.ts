// Consumer groups on the real server. A connection is put on a shard of the test's choice: polls of a single consumer on a
// partition of that shard make it move there, so that members are spread over the shards whatever the kernel did.
import { afterAll, beforeAll, describe, expect } from "bun:test";
import type { Client, IdentifierInput } from "../../src/client/index.ts";
import { readCpuTopology } from "../../src/config/cpu-topology.ts";
import type { Consumer } from "../../src/protocol/consumer.ts";
import { nameId, numericId } from "../../src/protocol/identifier.ts";
import type { PolledMessages } from "../../src/protocol/message/poll-messages.ts";
import { ownerShardOf, partitionKeyOf } from "../../src/shard/index.ts";
import { type ClientOptions, connectClient } from "../support/client.ts";
import { eventually } from "../support/process-facts.ts";
import { type ServerOptions, type TestServer, useServers } from "../support/server.ts";

/** More than a connection needs before its first move. */
const pollsToMove = 8;
const single: Consumer = { kind: "consumer", id: nameId("mover") };

export const groupConsumer = (name: IdentifierInput = "billing"): Consumer => ({
  kind: "group",
  id: typeof name === "object" ? name : typeof name === "number" ? numericId(name) : nameId(name),
});

export interface PollChanges {
  readonly partitionId?: number;
  readonly count?: number;
  readonly autoCommit?: boolean;
  readonly group?: IdentifierInput;
}

export interface OffsetChanges {
  readonly partitionId?: number;
  readonly group?: IdentifierInput;
}

/** A running server with topics of the test's own. */
export class GroupServer {
  readonly server: TestServer;
  readonly shards: number;
  readonly admin: Client;
  /** One on each shard: what nobody waits for, as the end of a connection, reaches the shards one after the other. */
  readonly observers: Client[] = [];
  readonly #clients: Client[] = [];
  #anchorStreamId = 0;
  #token = "";
  #nextShardId = 0;
  #streamsCount = 0;

  private constructor(server: TestServer, shards: number, admin: Client) {
    this.server = server;
    this.shards = shards;
    this.admin = admin;
  }

  static async start(server: TestServer, shards: number): Promise<GroupServer> {
    const started = new GroupServer(server, shards, await server.connect());
    started.#token = await started.admin.createPersonalAccessToken("tests", 0n);
    started.#anchorStreamId = (await started.admin.createStream("anchor")).id;
    await started.admin.createTopic("anchor", { name: "anchor", partitionsCount: shards });
    for (let shardId = 0; shardId < shards; shardId++) {
      started.observers.push(await started.connect(shardId));
    }
    return started;
  }

  /** A client on the given shard, else on the one after the last client's. Root, if no user is named. */
  async connect(shardId = this.#nextShardId, options: Partial<ClientOptions> = {}): Promise<Client> {
    this.#nextShardId = (shardId + 1) % this.shards;
    const client = await this.#login(options);
    await this.move(client, shardId);
    return client;
  }

  /** A client wherever the kernel put it. */
  connectAnywhere(): Promise<Client> {
    return this.#login({});
  }

  /** With a token, which costs nothing; a password takes the server 50 ms. */
  async #login(options: Partial<ClientOptions>): Promise<Client> {
    const { host, port } = this.server;
    const client = await connectClient({ host, port, reconnect: false, ...options });
    this.#clients.push(client);
    if (options.username === undefined) await client.loginWithToken(this.#token);
    return client;
  }

  /** The connection goes to the shard, unless it was moved before: then it may take more requests. */
  async move(client: Client, shardId: number, pollsCount = pollsToMove): Promise<void> {
    const partitionId = Array.from({ length: this.shards }, (_, id) => id).find(
      (id) => ownerShardOf(partitionKeyOf(this.#anchorStreamId, 0, id), this.shards) === shardId,
    )!;
    for (let number = 0; number < pollsCount; number++) {
      await client.pollMessages({
        consumer: single,
        stream: "anchor",
        topic: "anchor",
        partitionId,
        strategy: { kind: "first", value: 0n },
        count: 1,
      });
    }
  }

  /** A stream of its own with the topic "eu" and, on it, the group "billing". */
  async topic(partitionsCount: number): Promise<GroupTopic> {
    const stream = `orders-${this.#streamsCount++}`;
    const { id } = await this.admin.createStream(stream);
    await this.admin.createTopic(stream, { name: "eu", partitionsCount });
    await this.admin.createConsumerGroup(stream, "eu", "billing");
    return new GroupTopic(this, stream, id);
  }

  closeClients(): void {
    for (const client of [...this.#clients.splice(0), this.admin]) client.close();
  }

  async stop(): Promise<void> {
    this.closeClients();
    await this.server.stop();
    expect(this.server.log).not.toMatch(/ ERROR /);
  }
}

export class GroupTopic {
  readonly server: GroupServer;
  readonly stream: string;
  readonly streamId: number;
  readonly topic = "eu";

  constructor(server: GroupServer, stream: string, streamId: number) {
    this.server = server;
    this.stream = stream;
    this.streamId = streamId;
  }

  get admin(): Client {
    return this.server.admin;
  }

  /** A new client that has joined. */
  async member(group: IdentifierInput = "billing", shardId?: number): Promise<Client> {
    const client = await this.server.connect(shardId);
    await this.join(client, group);
    return client;
  }

  join(client: Client, group: IdentifierInput = "billing"): Promise<void> {
    return client.joinConsumerGroup(this.stream, this.topic, group);
  }

  leave(client: Client, group: IdentifierInput = "billing"): Promise<void> {
    return client.leaveConsumerGroup(this.stream, this.topic, group);
  }

  /** Sends `count` messages, numbered on from 0, to the partition in one batch. */
  async send(partitionId: number, count: number, text = `p${partitionId}`): Promise<void> {
    const messages = Array.from({ length: count }, (_, index) => ({
      payload: new TextEncoder().encode(`${text}-${index}`),
    }));
    const partitioning = { kind: "partition", partitionId } as const;
    await this.admin.sendMessages({ stream: this.stream, topic: this.topic, partitioning, messages });
  }

  /** The group's next messages. */
  poll(client: Client, { group, count = 100, ...changes }: PollChanges = {}): Promise<PolledMessages> {
    const { stream, topic } = this;
    const strategy = { kind: "next", value: 0n } as const;
    return client.pollMessages({ consumer: groupConsumer(group), stream, topic, strategy, count, ...changes });
  }

  store(client: Client, offset: number, { group, ...partition }: OffsetChanges = {}): Promise<void> {
    const { stream, topic } = this;
    const consumer = groupConsumer(group);
    return client.storeConsumerOffset({ consumer, stream, topic, ...partition, offset: BigInt(offset) });
  }

  delete(client: Client, { group, ...partition }: OffsetChanges = {}): Promise<void> {
    const { stream, topic } = this;
    return client.deleteConsumerOffset({ consumer: groupConsumer(group), stream, topic, ...partition });
  }

  async stored(client: Client, { group, ...partition }: OffsetChanges = {}): Promise<number | undefined> {
    const { stream, topic } = this;
    const offset = await client.getConsumerOffset({ consumer: groupConsumer(group), stream, topic, ...partition });
    return offset && Number(offset.storedOffset);
  }

  details(group: IdentifierInput = "billing", observer = this.admin) {
    return observer.getConsumerGroup(this.stream, this.topic, group);
  }

  /** Partitions of each member in ascending order; members in the order of the list. */
  async lists(group: IdentifierInput = "billing", observer = this.admin): Promise<number[][]> {
    const details = await this.details(group, observer);
    return (details?.members ?? []).map(({ partitions }) => [...partitions].sort((a, b) => a - b));
  }

  /** Waits until the partitions are given out like this on every shard: a move follows its cause a moment later. */
  async given(lists: readonly (readonly number[])[], group: IdentifierInput = "billing"): Promise<void> {
    const wanted = JSON.stringify(lists);
    await eventually(
      `the lists ${wanted}`,
      () => Promise.all(this.server.observers.map((observer) => this.lists(group, observer))),
      (seen) => seen.every((one) => JSON.stringify(one) === wanted),
    );
  }

  /** Nothing is moved: what was on its way has arrived after a few exchanges with every shard, and the lists are as before. */
  async staysGiven(lists: number[][], group: IdentifierInput = "billing"): Promise<void> {
    for (let look = 0; look < 5; look++) {
      await this.admin.getClients();
      await Bun.sleep(4);
      expect(await this.lists(group)).toEqual(lists);
    }
  }
}

/** Payloads as text. */
export function textsOf({ messages }: PolledMessages): string[] {
  return messages.map(({ payload }) => new TextDecoder().decode(payload));
}

/** What a member is told to whom nothing belongs. */
export const nothing = { partitionId: 0, currentOffset: 0n, messages: [] };

/** As many shards as a test asks for need as many CPUs. */
const cpuCount = readCpuTopology().nodes.flatMap(({ cpus }) => cpus).length;
export const shardCountsHere = [1, 2, 4].filter((count) => count <= cpuCount);

/** Runs the tests on servers of one, two and four shards (as far as this machine can), each stopped after its tests. */
export function onShards(
  name: string,
  tests: (server: () => GroupServer, shards: number) => void,
  options: ServerOptions = {},
  shardCounts: readonly number[] = shardCountsHere,
): void {
  const servers = useServers();
  describe.each([...shardCounts])(`${name}, %d shard(s)`, (shards) => {
    let running: GroupServer;
    beforeAll(async () => {
      running = await GroupServer.start(await servers.start({ ...options, shards }), shards);
    });
    afterAll(() => running.stop());
    tests(() => running, shards);
  });
}
