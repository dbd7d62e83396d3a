// Members of a group as connections of either protocol make them, by the handlers of the commands, over the two shards of the
// shard tests: without sockets, so that a test decides what comes when.
import { readSync } from "node:fs";
import { requireGroup } from "../../src/metadata/index.ts";
import { decodeStrict } from "../../src/protocol/codec.ts";
import { CommandCode, type CommandName } from "../../src/protocol/codes.ts";
import type { Consumer } from "../../src/protocol/consumer.ts";
import { nameId } from "../../src/protocol/identifier.ts";
import type { PolledMessages } from "../../src/protocol/message/poll-messages.ts";
import { commandCodecs } from "../../src/protocol/registry.ts";
import type { SyncGroupReply } from "../../src/protocol/v09/sync-group.ts";
import { fencedPoll } from "../../src/server/command.ts";
import type { RequestOf } from "../../src/server/command-values.ts";
import { syncGroup } from "../../src/server/commands/group-sync.ts";
import { commandTable, createSession, type Session, sessionStateOf } from "../../src/server/index.ts";
import { isPollReply, type PollReply, type Reply } from "../../src/server/reply.ts";
import type { SpokenProtocol } from "../../src/server/session.ts";
import type { TestShard, TestShards } from "../shard/setup.ts";
import { eventually } from "../support/process-facts.ts";
import { makeContext, makeSession } from "./setup.ts";

export const stream = nameId("orders");
export const topic = nameId("paid");
export const target = { stream, topic, group: nameId("billing") };
export const billing: Consumer = { kind: "group", id: nameId("billing") };

const settings = { compression: 1, messageExpiryMicros: 0n, maxTopicSizeBytes: 0n, replicationFactor: 1 } as const;

/** Topic 0 of stream 0 with so many partitions, and its group 0. */
export async function makeGroup({ shards }: TestShards, partitionsCount: number): Promise<void> {
  const { shard } = shards[0];
  await shard.control({ kind: "createStream", request: { name: "orders" } });
  await shard.control({ kind: "createTopic", request: { stream, name: "paid", partitionsCount, ...settings } });
  await shard.control({ kind: "createGroup", request: { stream, topic, name: "billing" } });
}

/** Partitions of each member, as a shard sees them. */
export function listsOf({ state }: TestShard): number[][] {
  return requireGroup(state, target).group.members.map(({ partitions }) => [...partitions].sort((a, b) => a - b));
}

/** Waits until both shards say that the partitions are given out like this. */
export async function given({ shards }: TestShards, lists: readonly (readonly number[])[]): Promise<void> {
  const wanted = JSON.stringify(lists);
  await eventually(
    `the lists ${wanted}`,
    () => shards.map(listsOf),
    (seen) => seen.every((one) => JSON.stringify(one) === wanted),
  );
}

/** What a poll may change. */
type PollChanges = Partial<Pick<RequestOf<"pollMessages">, "count" | "autoCommit" | "consumer">>;

export class Member {
  readonly session: Session;
  readonly #context: ReturnType<typeof makeContext>;

  /** Connected to the shard `on`, logged in as root; not in the group yet. */
  constructor(on: TestShard, protocol: SpokenProtocol, clientId: number) {
    this.session = createSession({ ...sessionStateOf(makeSession(0)), clientId, protocol });
    this.#context = makeContext(on);
  }

  async join(): Promise<this> {
    await this.#handle("joinConsumerGroup", target);
    return this;
  }

  async leave(): Promise<void> {
    await this.#handle("leaveConsumerGroup", target);
  }

  async sync(): Promise<SyncGroupReply | undefined> {
    return syncGroup(this.#context, this.session, target);
  }

  /** The group's next messages; "fenced": the client is to sync. */
  async poll(partitionId?: number, changes: PollChanges = {}): Promise<PolledMessages | "fenced"> {
    const strategy = { kind: "next", value: 0n } as const;
    const request = { consumer: billing, stream, topic, partitionId, strategy, count: 100, autoCommit: false };
    const reply = (await this.#handle("pollMessages", { ...request, ...changes })) as Reply;
    if (reply === fencedPoll) return "fenced";
    return decodeStrict(commandCodecs.pollMessages.reply, isPollReply(reply) ? bytesOf(reply) : reply);
  }

  async store(partitionId: number | undefined, offset: number): Promise<void> {
    const request = { consumer: billing, stream, topic, partitionId, offset: BigInt(offset) };
    await this.#handle("storeConsumerOffset", request);
  }

  async delete(partitionId: number | undefined): Promise<void> {
    await this.#handle("deleteConsumerOffset", { consumer: billing, stream, topic, partitionId });
  }

  async stored(partitionId: number): Promise<number | undefined> {
    const reply = await this.#handle("getConsumerOffset", { consumer: billing, stream, topic, partitionId });
    return reply === undefined ? undefined : Number((reply as { readonly storedOffset: bigint }).storedOffset);
  }

  async #handle<N extends CommandName>(name: N, request: RequestOf<N>): Promise<unknown> {
    return commandTable.get(CommandCode[name])!.handle(this.#context, this.session, request);
  }
}

/** As a transport would send it: head, then the parts. */
function bytesOf({ partitionId, read }: PollReply): Uint8Array {
  const { currentOffset, messagesCount, sizeBytes, parts } = read;
  const bytes = Buffer.alloc(16 + sizeBytes);
  bytes.writeUInt32LE(partitionId, 0);
  bytes.writeBigUInt64LE(BigInt(currentOffset), 4);
  bytes.writeUInt32LE(messagesCount, 12);
  let position = 16;
  for (const part of parts) {
    if (part.kind === "bytes") bytes.set(part.bytes, position);
    else readSync(part.fd, bytes, position, part.sizeBytes, part.position);
    position += part.kind === "bytes" ? part.bytes.byteLength : part.sizeBytes;
  }
  read.release();
  return bytes;
}
