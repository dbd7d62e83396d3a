// Polls that wait over the two shards of the shard tests, with a clock that the test moves.

import { decode, encode } from "../../src/protocol/codec.ts";
import { CommandCode } from "../../src/protocol/codes.ts";
import { ExtensionCode } from "../../src/protocol/extensions/codes.ts";
import {
  type PollEnding,
  type PollWaitingRequest,
  pollWaitingHeadCodec,
  pollWaitingReplyCodec,
  pollWaitingRequestCodec,
  waitMsMax,
} from "../../src/protocol/extensions/poll-waiting.ts";
import { nameId } from "../../src/protocol/identifier.ts";
import { commandCodecs } from "../../src/protocol/registry.ts";
import {
  Deadlines,
  dispatch,
  isPollReply,
  type Reply,
  type ServerContext,
  type Session,
  WaitingPolls,
} from "../../src/server/index.ts";
import { partitionKeyOf } from "../../src/shard/index.ts";
import { append } from "../shard/append.ts";
import { startShards, type TestShards } from "../shard/setup.ts";
import { makeContext, makeSession } from "./setup.ts";

export const stepMs = 50;
const stream = nameId("orders");
const topic = nameId("eu");

export interface Ended {
  readonly ending: PollEnding;
  readonly messagesCount: number;
}

export class WaitingWorld {
  readonly shards: TestShards;
  readonly waits: readonly WaitingPolls[];
  readonly contexts: readonly ServerContext[];
  nowMs = 1000;
  timersSet = 0;
  readonly #timers = new Set<{ readonly dueMs: number; readonly run: () => void }>();
  #clientsCount = 0;

  private constructor(shards: TestShards) {
    this.shards = shards;
    this.waits = shards.shards.map(({ shard }) => {
      const nowMs = () => this.nowMs;
      const schedule = (run: () => void, delayMs: number) => this.#schedule(run, delayMs);
      const deadlines = new Deadlines({ nowMs, schedule, stepMs, waitMsMax });
      return new WaitingPolls({ shard, deadlines, nowMs, limits: { ofAll: 0, ofUser: 0 } });
    });
    this.contexts = shards.shards.map((one, id) => makeContext(one, { waits: this.waits[id]! }));
  }

  static async start(partitionsCount: number): Promise<WaitingWorld> {
    const world = new WaitingWorld(startShards());
    const { request: ofStream } = commandCodecs.createStream;
    await world.request(0, CommandCode.createStream, encode(ofStream, { name: "orders" }));
    const { request: ofTopic } = commandCodecs.createTopic;
    const settings = { compressionCode: 1, messageExpiryMicros: 0n, maxTopicSizeBytes: 0n, replicationFactor: 1 };
    await world.request(
      0,
      CommandCode.createTopic,
      encode(ofTopic, { stream, name: "eu", partitionsCount, ...settings }),
    );
    return world;
  }

  request(shardId: number, code: number, payload: Uint8Array, session = makeSession(0)): Reply | Promise<Reply> {
    return dispatch(this.contexts[shardId]!, session, code, payload);
  }

  session(): Session {
    return { ...makeSession(0), clientId: ++this.#clientsCount };
  }

  /** A single consumer at an offset. */
  async poll(shardId: number, session: Session, changes: Partial<PollWaitingRequest> = {}): Promise<Ended> {
    const request = {
      consumer: { kind: "consumer", id: nameId("reader") },
      stream,
      topic,
      partitionId: 0,
      strategy: { kind: "offset", value: 0n },
      count: 1000,
      autoCommit: false,
      waitMs: 5000,
      bytesMax: 0,
      knownAssignment: 0n,
      positions: [],
      ...changes,
    } as const satisfies PollWaitingRequest;
    const reply = await this.request(
      shardId,
      ExtensionCode.pollWaiting,
      encode(pollWaitingRequestCodec, request),
      session,
    );
    if (!isPollReply(reply)) return { ending: decode(pollWaitingReplyCodec, reply).ending, messagesCount: 0 };
    const { messagesCount } = reply.read;
    reply.read.release();
    return { ending: decode(pollWaitingHeadCodec, reply.prefix!).ending, messagesCount };
  }

  append(shardId: 0 | 1, partitionId: number, count: number, payloadBytes = 10): Promise<void> {
    const sizes = Array<number>(count).fill(payloadBytes);
    return append(this.shards.shards[shardId], partitionKeyOf(0, 0, partitionId), sizes);
  }

  purge(): Promise<unknown> | unknown {
    return this.request(0, CommandCode.purgeTopic, encode(commandCodecs.purgeTopic.request, { stream, topic }));
  }

  deletePartitions(partitionsCount: number): Promise<unknown> | unknown {
    const payload = encode(commandCodecs.deletePartitions.request, { stream, topic, partitionsCount });
    return this.request(0, CommandCode.deletePartitions, payload);
  }

  /** Events are told to the waits, as the process does it. */
  follow(): void {
    for (const [id, { events }] of this.shards.shards.entries()) {
      for (const event of events.splice(0)) {
        this.waits[id]!.follow(event);
        this.contexts[id]!.subscriptions.follow(event);
      }
    }
  }

  advance(ms: number): void {
    this.nowMs += ms;
    for (const timer of [...this.#timers]) {
      if (timer.dueMs > this.nowMs || !this.#timers.delete(timer)) continue;
      timer.run();
    }
  }

  get hasTimers(): boolean {
    return this.#timers.size > 0;
  }

  /** What is on its way between the shards has arrived, and what follows from it. */
  async settle(): Promise<void> {
    for (let idleTurns = 0; idleTurns < 4; ) {
      let depth = 0;
      for (const { shard } of this.shards.shards) {
        const samples = (await shard.allStatistics()).flatMap((one) => one.samples);
        for (const { key, value } of samples) if (key === "mailboxDepth") depth += value;
      }
      idleTurns = depth === 0 ? idleTurns + 1 : 0;
    }
  }

  /** Whatever is kept of polls that are under way and of subscriptions, in all places. */
  get leftCount(): number {
    const { waits: waitCounts, subscriptions } = this.shards.shards[0].shard.counters;
    let count = waitCounts.total + subscriptions.total + this.#timers.size;
    for (const context of this.contexts) count += context.subscriptions.count;
    for (const waits of this.waits) count += waits.count + waits.waitingCount;
    for (const { shard, watches } of this.shards.shards) count += shard.watches.remoteCount + watches.count;
    return count;
  }

  close(): Promise<void> {
    return this.shards.close();
  }

  #schedule(run: () => void, delayMs: number): () => void {
    const timer = { dueMs: this.nowMs + delayMs, run };
    this.#timers.add(timer);
    this.timersSet++;
    return () => void this.#timers.delete(timer);
  }
}
