// What a console that somebody looks at costs producers at full speed: by turns without and with it, and what the broker spends on a
// megabyte in each turn. On few cores the browser takes its processor time from broker and producer, which is no cost of the broker's.
import type { Page } from "playwright-core";
import type { Client } from "../../src/client/index.ts";
import type { BenchServer } from "../bench-server.ts";
import { describedRatios, median } from "../ratios.ts";
import { connected, connectTo, withConsole } from "./measured-page.ts";

const messagesAtOnce = 1000;
const payloadBytes = 1000;
const warmUpMs = 500;
const place = { stream: "load", topic: "load" } as const;
const messages = Array.from({ length: messagesAtOnce }, () => ({ payload: new Uint8Array(payloadBytes) }));

/** In the order of one round. */
const turns = ["without", "overview", "without", "tail"] as const;
type Watching = (typeof turns)[number];

type Turn = { readonly megabytesPerSecond: number; readonly cpuMsPerMegabyte: number };

type Pair = {
  readonly watching: Watching;
  readonly rateRatios: number[];
  readonly cpuRatios: number[];
  readonly cpu: number[];
  readonly cpuWithout: number[];
};

/** Resolves when the page shows what it is opened for. */
async function show(page: Page, origin: string, watching: Watching): Promise<void> {
  if (watching === "without") {
    await page.goto("about:blank");
    return;
  }
  const path = watching === "overview" ? "overview" : `streams/${place.stream}/topics/${place.topic}/messages?live=1`;
  await page.goto(`${origin}/ui/${path}`);
  await connected(page);
  await page
    .getByText(watching === "overview" ? "Messages in" : "new since you follow")
    .first()
    .waitFor();
}

/** One turn of the producers, each at its own partition, and of the broker's processor time meanwhile. */
async function produceFor(seconds: number, server: BenchServer, clients: readonly Client[]): Promise<Turn> {
  let isOver = false;
  let sentBytes = 0;
  const producing = clients.map(async (client, partitionId) => {
    const partitioning = { kind: "partition", partitionId } as const;
    while (!isOver) {
      await client.sendMessages({ ...place, partitioning, messages });
      sentBytes += messagesAtOnce * payloadBytes;
    }
  });
  await Bun.sleep(warmUpMs);
  const before = { sentBytes, atMs: performance.now(), cpu: server.cpuSeconds() };
  await Bun.sleep(seconds * 1000);
  const megabytes = (sentBytes - before.sentBytes) / 1e6;
  const result = {
    megabytesPerSecond: megabytes / ((performance.now() - before.atMs) / 1000),
    cpuMsPerMegabyte: ((server.cpuSeconds() - before.cpu) * 1000) / megabytes,
  };
  isOver = true;
  await Promise.all(producing);
  return result;
}

export type LoadOptions = {
  readonly rounds: number;
  /** Of each turn. */
  readonly seconds: number;
  readonly producers: number;
  readonly shards: number;
};

export async function measureLoad({ rounds, seconds, producers, shards }: LoadOptions): Promise<void> {
  await withConsole(shards, async ({ server, context, origin, client }) => {
    await client.createStream(place.stream);
    await client.createTopic(place.stream, { name: place.topic, partitionsCount: producers });
    const clients = await Promise.all(Array.from({ length: producers }, () => connectTo(server)));
    const page = await context.newPage();
    const pairs: readonly Pair[] = (["overview", "tail"] as const).map((watching) => ({
      watching,
      ...{ rateRatios: [], cpuRatios: [], cpu: [], cpuWithout: [] },
    }));
    for (let round = 0; round < rounds; round++) {
      const line: string[] = [];
      let without: Turn | undefined;
      for (const watching of turns) {
        await show(page, origin, watching);
        const turn = await produceFor(seconds, server, clients);
        if (watching === "tail") await page.getByRole("grid").locator("tbody tr a").first().waitFor();
        // The disk is not to fill, and every turn begins with the same.
        await client.purgeTopic(place.stream, place.topic);
        line.push(`${watching} ${turn.megabytesPerSecond.toFixed(0)} MB/s ${turn.cpuMsPerMegabyte.toFixed(2)} ms/MB`);
        const pair = pairs.find((each) => each.watching === watching);
        if (pair === undefined) without = turn;
        else if (without !== undefined) {
          pair.rateRatios.push(turn.megabytesPerSecond / without.megabytesPerSecond);
          pair.cpuRatios.push(turn.cpuMsPerMegabyte / without.cpuMsPerMegabyte);
          pair.cpu.push(turn.cpuMsPerMegabyte);
          pair.cpuWithout.push(without.cpuMsPerMegabyte);
        }
      }
      console.log(`round ${round}  ${line.join(", ")}`);
    }
    for (const { watching, rateRatios, cpuRatios, cpu, cpuWithout } of pairs) {
      const asked = watching === "overview" ? 0.99 : 0.97;
      const spent = `${median(cpuWithout).toFixed(2)} ms/MB without, ${median(cpu).toFixed(2)} with`;
      console.log(`${watching}: throughput ${describedRatios(rateRatios)} of that without (asked: at least ${asked});`);
      console.log(`  processor time of the broker ${spent}, ratio ${describedRatios(cpuRatios)}`);
    }
    for (const each of clients) await each.close();
  });
}
