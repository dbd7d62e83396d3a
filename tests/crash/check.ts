// Holds a broker that was started after a crash against the history of its load.
import type { Client } from "../../src/client/index.ts";
import { encode } from "../../src/protocol/codec.ts";
import { CommandCode } from "../../src/protocol/codes.ts";
import type { Consumer } from "../../src/protocol/consumer.ts";
import { pollMessagesRequestCodec } from "../../src/protocol/message/poll-messages.ts";
import { PollReplyLayout } from "../../src/protocol/message-layout.ts";
import { connectClient } from "../support/client.ts";
import { checkPartition } from "./check-partition.ts";
import {
  type Cut,
  doneCall,
  type GroupHistory,
  type History,
  type Lifetime,
  type PartitionHistory,
  possibleValues,
  type Setting,
  type StreamHistory,
  type TopicHistory,
  type UserHistory,
} from "./history.ts";
import type { Address } from "./load.ts";
import { type FoundMessage, keyOf, readMessages } from "./payload.ts";

const pollCount = 2000;
const failuresMax = 200;

/** Names a partition to the client. */
interface Target {
  readonly stream: string;
  readonly topic: string;
  readonly partitionId: number;
}

/** What a partition holds, and the offset of its next message. */
interface Found {
  readonly messages: readonly FoundMessage[];
  readonly nextOffset: number;
}

/**
 * What is wrong, in words; nothing if all is right. `settles`: the load goes on after the crash, so what was found is from
 * now on certain.
 */
export async function checkBroker(
  history: History,
  cut: Cut,
  { host, port }: Address,
  settles: boolean,
): Promise<readonly string[]> {
  const client = await connectClient({ host, port, reconnect: false, username: "iggy", password: "iggy" });
  try {
    const check = new BrokerCheck(history, cut, client, { host, port }, settles);
    await check.run();
    return check.failures;
  } finally {
    client.close();
  }
}

class BrokerCheck {
  readonly failures: string[] = [];
  readonly #history: History;
  readonly #cut: Cut;
  readonly #client: Client;
  readonly #address: Address;
  readonly #settles: boolean;

  constructor(history: History, cut: Cut, client: Client, address: Address, settles: boolean) {
    this.#history = history;
    this.#cut = cut;
    this.#client = client;
    this.#address = address;
    this.#settles = settles;
  }

  async run(): Promise<void> {
    const { streams, users, tokens } = this.#history;
    const streamNames = (await this.#client.getStreams()).map(({ name }) => name);
    for (const stream of this.#present("stream", streams, streamNames)) await this.#checkStream(stream);
    const usernames = (await this.#client.getUsers()).map(({ username }) => username).filter((name) => name !== "iggy");
    for (const user of this.#present("user", users, usernames)) await this.#checkPassword(user);
    const tokenNames = (await this.#client.getPersonalAccessTokens()).map(({ name }) => name);
    this.#present("token", tokens, tokenNames);
    await this.#checkNewNumbers();
  }

  /** Those of `known` that the broker names, after a comparison of both. */
  #present<T extends Lifetime>(what: string, known: readonly T[], names: readonly string[]): readonly T[] {
    if (new Set(names).size !== names.length) this.#fail(`${what}: a name comes twice in ${names}`);
    const possible = known.filter((lifetime) => lifetime.mayExist(this.#cut));
    const present = possible.filter(({ name }) => names.includes(name));
    const missing = possible.filter((lifetime) => lifetime.mustExist(this.#cut) && !present.includes(lifetime));
    for (const { name } of missing) this.#fail(`${what} ${name} is lost`);
    const possibleNames = new Set(possible.map(({ name }) => name));
    for (const name of names) if (!possibleNames.has(name)) this.#fail(`${what} ${name} is back, or was never made`);
    if (this.#settles) for (const lifetime of known) lifetime.settle(present.includes(lifetime));
    return present;
  }

  async #checkStream(stream: StreamHistory): Promise<void> {
    const topics = await this.#client.getTopics(stream.name);
    const names = topics.map(({ name }) => name);
    for (const topic of this.#present(`stream ${stream.name}: topic`, stream.topics, names)) {
      const { partitionsCount } = topics.find(({ name }) => name === topic.name)!;
      await this.#checkTopic(stream, topic, partitionsCount);
    }
  }

  async #checkTopic(stream: StreamHistory, topic: TopicHistory, partitionsCount: number): Promise<void> {
    const where = `stream ${stream.name}, topic ${topic.name}`;
    const names = Array.from({ length: partitionsCount }, (_, id) => `partition ${id}`);
    const partitions = this.#present(where, topic.partitions, names);
    const groupNames = (await this.#client.getConsumerGroups(stream.name, topic.name)).map(({ name }) => name);
    const groups = this.#present(`${where}: group`, topic.groups, groupNames);
    for (const partition of partitions) {
      const target = { stream: stream.name, topic: topic.name, partitionId: partition.id };
      await this.#checkMessages(target, partition);
      for (const [consumer, settings] of partition.offsets) {
        await this.#checkOffset(target, { kind: "consumer", id: { kind: "numeric", value: consumer } }, settings);
      }
      for (const group of groups) await this.#checkGroupOffset(target, group);
    }
  }

  async #checkMessages(target: Target, partition: PartitionHistory): Promise<void> {
    const where = `stream ${target.stream}, topic ${target.topic}, partition ${target.partitionId}`;
    try {
      const { messages, nextOffset } = await this.#read(target);
      const failures = checkPartition(partition, messages, nextOffset, this.#cut);
      for (const failure of failures) this.#fail(`${where}: ${failure}`);
      if (this.#settles) settlePartition(partition, messages, nextOffset);
    } catch (error) {
      this.#fail(`${where}: ${error}`);
    }
  }

  async #checkGroupOffset(target: Target, group: GroupHistory): Promise<void> {
    const settings = group.offsets.get(target.partitionId) ?? [];
    group.offsets.set(target.partitionId, settings);
    await this.#checkOffset(target, { kind: "group", id: { kind: "string", value: group.name } }, settings);
  }

  async #checkOffset(target: Target, consumer: Consumer, settings: Setting<bigint>[]): Promise<void> {
    const possible = possibleValues(settings, this.#cut);
    const stored = (await this.#client.getConsumerOffset({ ...target, consumer }))?.storedOffset;
    // A file whose first store no sync covered may hold zeros. Its consumer has been past message 0 and begins behind it.
    const isZeroedFile = this.#cut.isPowerLoss && stored === 0n && possible.includes(undefined);
    if (!possible.includes(stored) && !isZeroedFile) {
      const who = `${consumer.kind} ${consumer.id.value}`;
      const where = `stream ${target.stream}, topic ${target.topic}, partition ${target.partitionId}`;
      this.#fail(`${where}: offset of ${who} is ${stored ?? "gone"} instead of ${possible.join(", ")}`);
    }
    if (this.#settles) settings.splice(0, settings.length, { value: stored, call: doneCall(), isDurableAtOnce: true });
  }

  async #checkPassword(user: UserHistory): Promise<void> {
    const possible = possibleValues(user.passwords, this.#cut).filter((value) => value !== undefined);
    for (const password of possible) {
      if (!(await this.#canLogIn(user.name, password))) continue;
      if (this.#settles) {
        user.passwords.splice(0, user.passwords.length, { value: password, call: doneCall(), isDurableAtOnce: true });
      }
      return;
    }
    this.#fail(`user ${user.name} cannot log in with its password`);
  }

  async #canLogIn(username: string, password: string): Promise<boolean> {
    try {
      (await connectClient({ ...this.#address, reconnect: false, username, password })).close();
      return true;
    } catch {
      return false;
    }
  }

  /** What is made now is empty, whatever had its number before, and takes messages. */
  async #checkNewNumbers(): Promise<void> {
    const streams = (await this.#client.getStreams()).map(({ name }) => name);
    await this.#client.createStream("probe");
    for (const stream of [...streams, "probe"]) {
      await this.#client.createTopic(stream, { name: "probe", partitionsCount: 3 });
      for (let partitionId = 0; partitionId < 3; partitionId++) {
        const target = { stream, topic: "probe", partitionId };
        const consumer: Consumer = { kind: "consumer", id: { kind: "numeric", value: 1 } };
        const offset = await this.#client.getConsumerOffset({ ...target, consumer });
        const found = await this.#client.pollMessages({
          ...target,
          consumer,
          strategy: { kind: "offset", value: 0n },
          count: 10,
        });
        if (found.messages.length > 0) this.#fail(`a new topic of stream ${stream} has messages of an earlier one`);
        if (offset !== undefined) this.#fail(`a new topic of stream ${stream} has an offset of an earlier one`);
      }
      await this.#client.sendMessages({ stream, topic: "probe", messages: [{ payload: new Uint8Array(10) }] });
      await this.#client.deleteTopic(stream, "probe");
    }
    await this.#client.deleteStream("probe");
  }

  async #read({ stream, topic, partitionId }: Target): Promise<Found> {
    const messages: FoundMessage[] = [];
    for (;;) {
      const next = messages.length === 0 ? 0 : messages.at(-1)!.offset + 1;
      const request = encode(pollMessagesRequestCodec, {
        consumer: { kind: "consumer", id: { kind: "numeric", value: 1 } },
        stream: { kind: "string", value: stream },
        topic: { kind: "string", value: topic },
        partitionId,
        strategy: { kind: "offset", value: BigInt(next) },
        count: pollCount,
        autoCommit: false,
      });
      const reply = await this.#client.exchange(CommandCode.pollMessages, request);
      const polled = readMessages(reply.subarray(PollReplyLayout.messages));
      if (polled.length === 0) {
        const currentOffset = Number(new DataView(reply.buffer, reply.byteOffset).getBigUint64(4, true));
        // 0 is also that of a partition that has never had a message.
        return { messages, nextOffset: currentOffset === 0 ? messages.length : currentOffset + 1 };
      }
      messages.push(...polled);
    }
  }

  #fail(text: string): void {
    if (this.failures.length < failuresMax) this.failures.push(text);
  }
}

function settlePartition(partition: PartitionHistory, messages: readonly FoundMessage[], nextOffset: number): void {
  partition.settledPurgesCount = messages[0]?.purgesBefore ?? partition.purgesCount;
  partition.purges = [];
  partition.sends = [];
  partition.segmentDeletions = [];
  partition.found = new Map(messages.map((message) => [message.offset, keyOf(message)]));
  partition.foundFirst = messages[0]?.offset ?? nextOffset;
  partition.foundEnd = nextOffset;
}
