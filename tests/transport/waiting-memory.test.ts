// What a connection costs more while its poll waits: from its bytes through its pipeline to the place where it is noted, on its
// own shard and for a partition of another. Counted on the heap, so that it holds on a busy machine. WHIPPET_QUIET_MACHINE prints it.

import { heapStats } from "bun:jsc";
import { afterEach, expect, test } from "bun:test";
import { encode } from "../../src/protocol/codec.ts";
import { ExtensionCode } from "../../src/protocol/extensions/codes.ts";
import { pollWaitingRequestCodec } from "../../src/protocol/extensions/poll-waiting.ts";
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

test.each([
  ["its own shard", 0, 1024],
  // Here both shards have one heap: some 900 bytes are of the connection's shard, some 200 of the owner.
  ["another shard", 1, 1280],
])(
  "a connection that waits for a partition of %s takes little more",
  async (_name, partitionId, bytesMax) => {
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
    const frame = encodeRequestFrame(
      ExtensionCode.pollWaiting,
      encode(pollWaitingRequestCodec, {
        consumer: { kind: "consumer", id: nameId("reader") },
        stream: nameId("orders"),
        topic: nameId("eu"),
        partitionId,
        strategy: { kind: "offset", value: 0n },
        count: 100,
        autoCommit: false,
        waitMs: 30_000,
        bytesMax: 0,
        knownAssignment: 0n,
        positions: [],
      }),
    );
    const pipelines = Array.from({ length: count }, connect);
    const until = async (isDone: () => boolean) => {
      await eventually("all of them", isDone, (isThere) => isThere);
      await here.settle();
      for (const { sent } of here.shards.shards) sent.length = 0;
    };
    const wait = async (waiting: readonly RequestPipeline[]) => {
      for (const pipeline of waiting) pipeline.receive(frame);
      await until(() => here.waits[0]!.waitingCount === waiting.length);
    };
    const end = async (waiting: readonly RequestPipeline[]) => {
      for (const { session } of waiting) session.waiting?.overtaken();
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
    expect(here.waits[0]!.waitingCount).toBe(count);
    expect(each).toBeLessThan(bytesMax);
    await end(pipelines);
    expect(repliesCount).toBe(2 * count);
    expect(here.leftCount).toBe(0);
  },
  60_000,
);
