// What a connection costs more while its poll waits, and while it has a subscription to which nothing comes: from its bytes through its pipeline to the place where it is noted, on its
// own shard and for a partition of another. Counted on the heap, so that it holds on a busy machine. WHIPPET_QUIET_MACHINE prints it.

import { heapStats } from "bun:jsc";
import { afterEach, expect, test } from "bun:test";
import { encode } from "../../src/protocol/codec.ts";
import { ExtensionCode } from "../../src/protocol/extensions/codes.ts";
import { pollWaitingRequestCodec } from "../../src/protocol/extensions/poll-waiting.ts";
import { subscribeRequestCodec } from "../../src/protocol/extensions/subscribe.ts";
import { encodeRequestFrame } from "../../src/protocol/frame.ts";
import { detectFrameKind } from "../../src/protocol/frame-detection.ts";
import { nameId } from "../../src/protocol/identifier.ts";
import { KeptBacklog } from "../../src/transport/backlog.ts";
import type { Carrier } from "../../src/transport/carrier.ts";
import { RequestPipeline } from "../../src/transport/request-pipeline.ts";
import { WaitingWorld } from "../server/waiting-world.ts";
import { eventually } from "../support/process-facts.ts";

const count = 10_000;

let world: WaitingWorld | undefined;
afterEach(async () => {
  await world?.close();
  world = undefined;
});

function heapBytes(): number {
  Bun.gc(true);
  const { heapSize, extraMemorySize } = heapStats();
  return heapSize + extraMemorySize;
}

/** A kind of waiting. */
interface Kind {
  readonly code: number;
  readonly payload: (partitionId: number) => Uint8Array;
  readonly end: (pipeline: RequestPipeline) => void;
}

const place = (partitionId: number) => ({
  consumer: { kind: "consumer", id: nameId("reader") } as const,
  stream: nameId("orders"),
  topic: nameId("eu"),
  partitionId,
  strategy: { kind: "offset", value: 0n } as const,
  count: 100,
  autoCommit: false,
});

const poll: Kind = {
  code: ExtensionCode.pollWaiting,
  payload: (partitionId) =>
    encode(pollWaitingRequestCodec, {
      ...place(partitionId),
      waitMs: 30_000,
      bytesMax: 0,
      knownAssignment: 0n,
      positions: [],
    }),
  end: ({ session }) => session.waiting?.overtaken(),
};

const subscription: Kind = {
  code: ExtensionCode.subscribe,
  payload: (partitionId) =>
    encode(subscribeRequestCodec, { ...place(partitionId), subscriptionId: 1, credit: 1_000_000 }),
  end: ({ session }) => {
    session.subscriber?.close();
    session.subscriber = undefined;
  },
};

// Of another shard's partition here both shards have one heap, and a poll that waits for it is at the limit itself: what the heap
// counts beside it differs by some bytes from run to run.
test.each([
  ["polls", "its own shard", poll, 0, 1024],
  ["polls", "another shard", poll, 1, 1100],
  ["has subscribed", "its own shard", subscription, 0, 1024],
  ["has subscribed", "another shard", subscription, 1, 1024],
])(
  "a connection that %s and waits for a partition of %s takes little more",
  async (_kind, _name, { code, payload, end: endOne }, partitionId, bytesMax) => {
    const here = await WaitingWorld.start(2);
    world = here;
    const ignore = () => undefined;
    let repliesCount = 0;
    const carrier: Carrier = {
      output: {
        isEmpty: true,
        write: () => repliesCount++,
        writeParts: (_head, _parts, done) => done(),
        close: ignore,
      },
      receiveDirectly: ignore,
      moveIfBetter: () => false,
      endsWithoutReply: () => false,
      endsWithRecord: true,
      gathersMessages: false,
      pauseReading: ignore,
      resumeReading: ignore,
      endSending: ignore,
      terminate: ignore,
    };
    const connect = () =>
      new RequestPipeline(carrier, {
        context: here.contexts[0]!,
        session: here.session(),
        frameMemory: here.shards.shards[0].frames,
        frames: "sdk",
        detectFrames: detectFrameKind,
        backlog: new KeptBacklog(),
        requestBytesMax: 1_000_000,
        largeSendsMax: 1,
        onSmallExchange: ignore,
        onBroken: ignore,
        onEarlierClient: ignore,
        onFault: (_code, error) => {
          throw error;
        },
        onClosed: ignore,
      });
    const frame = encodeRequestFrame(code, payload(partitionId));
    const pipelines = Array.from({ length: count }, connect);
    const until = async (isDone: () => boolean) => {
      await eventually("all of them", isDone, (isThere) => isThere);
      await here.settle();
      for (const { sent } of here.shards.shards) sent.length = 0;
    };
    const wait = async (waiting: readonly RequestPipeline[]) => {
      for (const pipeline of waiting) pipeline.receive(frame);
      await until(() => here.shards.shards[partitionId]!.watches.count === waiting.length);
    };
    const end = async (waiting: readonly RequestPipeline[]) => {
      for (const pipeline of waiting) endOne(pipeline);
      await until(() => here.leftCount === 0);
    };
    // Every connection has had a poll: what a connection keeps after its first request is not what a wait costs.
    await wait(pipelines);
    await end(pipelines);
    expect(repliesCount).toBe(count);
    const before = heapBytes();
    await wait(pipelines);
    const each = (heapBytes() - before) / count;
    if (process.env.WHIPPET_QUIET_MACHINE !== undefined) console.log(`${Math.round(each)} bytes for each`);
    expect(each).toBeLessThan(bytesMax);
    await end(pipelines);
    expect(repliesCount).toBe(2 * count);
    expect(here.leftCount).toBe(0);
  },
  60_000,
);
