// Subscriptions over two shards: whatever is sent, purged, credited, held up, ended and moved in whatever order, each gets every
// message once, in order, and never more than it takes; and nothing is left.
import { afterEach, expect, test } from "bun:test";
import fc from "fast-check";
import { BatchBytes } from "../../src/client/consumer/batch-bytes.ts";
import { encode } from "../../src/protocol/codec.ts";
import { ExtensionCode } from "../../src/protocol/extensions/codes.ts";
import type { EndPush } from "../../src/protocol/extensions/pushes.ts";
import {
  addCreditRequestCodec,
  subscribeRequestCodec,
  unsubscribeRequestCodec,
} from "../../src/protocol/extensions/subscribe.ts";
import { nameId } from "../../src/protocol/identifier.ts";
import { messageHeaderBytes } from "../../src/protocol/message-layout.ts";
import type { PushTarget, Session } from "../../src/server/index.ts";
import { ReplyReader, type ShardRead } from "../../src/shard/index.ts";
import { eventually } from "../support/process-facts.ts";
import { WaitingWorld } from "./waiting-world.ts";

let world: WaitingWorld | undefined;
afterEach(async () => {
  await world?.close();
  world = undefined;
});

const partitionsCount = 2;
const connectionsCount = 2;
/** Of a message that was sent before the first purge; after each purge they are one byte longer. */
const payloadBytes = 20;
const allCredit = 2 ** 32 - 1;

/** One stretch, from subscribe to the end. */
interface Stretch {
  readonly partitionId: number;
  /** Bytes that its client took, or takes. */
  credit: number;
  /** How often the partition had been purged, as its first message says. */
  era: number | undefined;
  nextOffset: number;
  isOver: boolean;
}

/** A connection: what comes is checked at once. */
class Connection implements PushTarget {
  readonly here: WaitingWorld;
  shardId: 0 | 1;
  session: Session;
  isHeldUp = false;
  readonly stretches = new Map<number, Stretch>();
  #lastId = 0;

  constructor(here: WaitingWorld, shardId: 0 | 1) {
    this.here = here;
    this.shardId = shardId;
    this.session = here.session();
    this.session.pushTarget = this;
  }

  get isReadyForPush(): boolean {
    return !this.isHeldUp;
  }

  pushMessages(id: number, partitionId: number, read: ShardRead): void {
    const stretch = this.stretches.get(id)!;
    expect(stretch.isOver).toBe(false);
    expect(stretch.partitionId).toBe(partitionId);
    expect(stretch.credit).toBeGreaterThan(0);
    const bytes = new Uint8Array(read.sizeBytes);
    expect(new ReplyReader(read.parts).readAt(0, bytes)).toBe(read.sizeBytes);
    read.release();
    const batch = new BatchBytes(bytes, 0, read.messagesCount);
    expect(batch.sizeBytes).toBe(read.sizeBytes);
    for (let at = 0; at < bytes.length; at = batch.endOf(at)) {
      expect(batch.offsetAt(at)).toBe(stretch.nextOffset++);
      const era = batch.endOf(at) - at - messageHeaderBytes - payloadBytes;
      stretch.era ??= era;
      expect(era).toBe(stretch.era);
    }
    const most = stretch.credit + messageHeaderBytes + payloadBytes + (stretch.era ?? 0);
    expect(read.sizeBytes).toBeLessThan(read.messagesCount === 1 ? most : stretch.credit + 1);
    stretch.credit -= read.sizeBytes;
  }

  pushPartitions(): void {
    throw new Error("nobody follows partitions");
  }

  pushEnd({ subscriptionId, ending, errorCode }: EndPush): void {
    const stretch = this.stretches.get(subscriptionId)!;
    expect({ ending, errorCode, isOver: stretch.isOver }).toEqual({
      ending: "offsetsReset",
      errorCode: 0,
      isOver: false,
    });
    stretch.isOver = true;
  }

  moveIfBetter(): boolean {
    return false;
  }

  subscribe(partitionId: number, credit: number): void {
    const id = ++this.#lastId;
    this.stretches.set(id, { partitionId, credit, era: undefined, nextOffset: 0, isOver: false });
    const request = {
      consumer: { kind: "consumer", id: nameId("reader") },
      stream: nameId("orders"),
      topic: nameId("eu"),
      partitionId,
      strategy: { kind: "offset", value: 0n },
      count: 0,
      autoCommit: false,
      subscriptionId: id,
      credit,
    } as const;
    void this.#request(ExtensionCode.subscribe, encode(subscribeRequestCodec, request));
  }

  addCredit(id: number, credit: number): void {
    const stretch = this.stretches.get(id)!;
    stretch.credit = Math.min(allCredit, stretch.credit + credit);
    void this.#request(ExtensionCode.addCredit, encode(addCreditRequestCodec, { subscriptionId: id, credit }));
  }

  async unsubscribe(id: number): Promise<void> {
    await this.#request(ExtensionCode.unsubscribe, encode(unsubscribeRequestCodec, { subscriptionId: id }));
    this.stretches.get(id)!.isOver = true;
  }

  #request(code: number, payload: Uint8Array): unknown {
    return this.here.request(this.shardId, code, payload, this.session);
  }

  holdUp(isHeldUp: boolean): void {
    this.isHeldUp = isHeldUp;
    if (!isHeldUp) this.session.subscriber?.proceed();
  }

  /** To the other shard, if nothing is under way. */
  move(): void {
    const { subscriber } = this.session;
    if (subscriber?.isReading === true) return;
    const states = structuredClone(subscriber?.release() ?? []);
    this.shardId = this.shardId === 0 ? 1 : 0;
    this.session = { ...this.session, subscriber: undefined };
    this.here.contexts[this.shardId]!.subscriptions.resume(this.session, this, states);
  }

  get open(): number[] {
    return [...this.stretches].filter(([, { isOver }]) => !isOver).map(([id]) => id);
  }
}

function hasAll({ partitionId, nextOffset }: Stretch, sent: readonly number[]): boolean {
  return nextOffset >= sent[partitionId]!;
}

/** Whatever is under way has come, and what follows from it. */
async function turns(here: WaitingWorld): Promise<void> {
  for (let count = 0; count < 5; count++) {
    await here.settle();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const partition = fc.integer({ min: 0, max: partitionsCount - 1 });
const connection = fc.integer({ min: 0, max: connectionsCount - 1 });
const bytes = fc.oneof(fc.integer({ min: 0, max: 400 }), fc.constant(5000));
const of = <T>(weight: number, arbitrary: fc.Arbitrary<T>) => ({ weight, arbitrary });
const action = fc.oneof(
  of(4, fc.record({ kind: fc.constant("subscribe" as const), connection, partition, bytes })),
  of(
    5,
    fc.record({
      kind: fc.constant("append" as const),
      shard: fc.constantFrom<0 | 1>(0, 1),
      partition,
      count: fc.integer({ min: 1, max: 5 }),
    }),
  ),
  of(5, fc.record({ kind: fc.constant("credit" as const), connection, index: fc.nat(), bytes })),
  of(1, fc.record({ kind: fc.constant("unsubscribe" as const), connection, index: fc.nat() })),
  of(2, fc.record({ kind: fc.constant("holdUp" as const), connection, isHeldUp: fc.boolean() })),
  of(2, fc.record({ kind: fc.constant("move" as const), connection })),
  of(1, fc.constant({ kind: "purge" as const })),
  of(3, fc.constant({ kind: "settle" as const })),
  of(2, fc.constant({ kind: "turn" as const })),
);

test("property: every message once, in order, as far as the credit goes", async () => {
  let delivered = 0;
  let resets = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(action, { minLength: 20, maxLength: 60 }), async (actions) => {
      const here = await WaitingWorld.start(partitionsCount);
      try {
        const connections = Array.from(
          { length: connectionsCount },
          (_, id) => new Connection(here, (id % 2) as 0 | 1),
        );
        const sent = Array<number>(partitionsCount).fill(0);
        const appends: Promise<void>[] = [];
        let era = 0;
        for (const one of actions) {
          const at = "connection" in one ? connections[one.connection]! : connections[0]!;
          switch (one.kind) {
            case "subscribe":
              at.subscribe(one.partition, one.bytes);
              break;
            case "append":
              sent[one.partition]! += one.count;
              appends.push(here.append(one.shard, one.partition, one.count, payloadBytes + era));
              break;
            case "credit": {
              const { open } = at;
              if (open.length > 0) at.addCredit(open[one.index % open.length]!, one.bytes);
              break;
            }
            case "unsubscribe": {
              const { open } = at;
              if (open.length > 0) await at.unsubscribe(open[one.index % open.length]!);
              break;
            }
            case "holdUp":
              at.holdUp(one.isHeldUp);
              break;
            case "move":
              at.move();
              break;
            case "purge":
              await Promise.all(appends);
              era++;
              sent.fill(0);
              await here.purge();
              here.follow();
              break;
            case "settle":
              await Promise.all(appends);
              await here.settle();
              break;
            case "turn":
              await new Promise((resolve) => setImmediate(resolve));
          }
        }
        await Promise.all(appends);
        for (const each of connections) {
          each.holdUp(false);
          for (const id of each.open) each.addCredit(id, allCredit);
        }
        await eventually(
          "all that was sent, or the end",
          () => connections.every((each) => each.open.every((id) => hasAll(each.stretches.get(id)!, sent))),
          (isDone) => isDone,
        );
        await turns(here);
        for (const each of connections) {
          for (const id of each.open) {
            const stretch = each.stretches.get(id)!;
            expect(stretch.nextOffset).toBe(sent[stretch.partitionId]!);
            if (stretch.nextOffset > 0) expect(stretch.era).toBe(era);
          }
          for (const { nextOffset, isOver } of each.stretches.values()) {
            delivered += nextOffset;
            if (isOver) resets++;
          }
          each.session.subscriber?.close();
        }
        await turns(here);
        expect(here.leftCount).toBe(0);
        for (const { failures } of here.shards.shards) expect(failures).toEqual([]);
      } finally {
        await here.close();
      }
    }),
    { numRuns: 30 },
  );
  // It is no test of nothing.
  expect(delivered).toBeGreaterThan(300);
  expect(resets).toBeGreaterThan(5);
}, 120_000);

test("many that wait for one partition make no timer and, told of a message, read it once each", async () => {
  const here = await WaitingWorld.start(1);
  world = here;
  const connections = Array.from({ length: 600 }, () => new Connection(here, 0));
  for (const each of connections) each.subscribe(0, 1000);
  await here.settle();
  expect(here.hasTimers).toBe(false);
  await here.append(0, 0, 1, payloadBytes);
  await eventually(
    "a message for each",
    () => connections.every(({ stretches }) => stretches.get(1)!.nextOffset === 1),
    (isDone) => isDone,
  );
  for (const { session } of connections) session.subscriber?.close();
  expect(here.leftCount).toBe(0);
});
