// Very many topics in the console, in as few streams as hold them: how long a key that is pressed in the filter of the longest list
// takes until its rows are there, and whether scrolling holds the page up.
import type { CDPSession, Page } from "playwright-core";
import type { Client } from "../../src/client/index.ts";
import { topicsPerStreamMax } from "../../src/metadata/index.ts";
import type { BenchServer } from "../bench-server.ts";
import { connected, connectTo, withConsole } from "./measured-page.ts";

const clientsCount = 8;
/** Chromium drops changes of the address above 200 in 30 s. */
const betweenKeysMs = 160;
const scrollSteps = 200;
const scrollPixels = 1500;
const jumps = ["End", "PageUp", "Home", "PageDown"] as const;
const jumpRounds = 5;
const scrollTurns = 2 * scrollSteps + jumps.length * jumpRounds;

type Key = {
  /** Until the handlers and the renders that follow them are done, and the rows have their places, ms. */
  readonly laidOutMs: number;
  /** Until the frame behind that was drawn, ms: up to one frame of waiting is in it. */
  readonly drawnMs: number;
  /** Rows that the list had then, the header among them. */
  readonly rows: string;
};

// What runs in the page is text: the project's scripts are typed for Bun and know no document.
const watchKeys = `
  window.keys = [];
  window.untilKeys = (count) => new Promise((resolve) => {
    const look = () => (window.keys.length >= count ? resolve() : setTimeout(look, 5));
    look();
  });
  const after = (work) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = work;
    port2.postMessage(0);
  };
  document.addEventListener("input", () => {
    const startedAt = performance.now();
    const key = {};
    requestAnimationFrame(() => after(() => {
      key.drawnMs = performance.now() - startedAt;
      window.keys.push(key);
    }));
    // A task of its own: behind the microtasks in which the page renders.
    after(() => {
      const table = document.querySelector("[role=grid]");
      table?.getBoundingClientRect();
      key.laidOutMs = performance.now() - startedAt;
      key.rows = table?.getAttribute("aria-rowcount") ?? "1";
    });
  }, { capture: true });
`;
const watchTasks = `
  window.longTasks = [];
  window.taskObserver = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) window.longTasks.push(duration);
  });
  window.taskObserver.observe({ type: "longtask" });
  window.longestFrame = 0;
  let last = performance.now();
  const frame = (now) => {
    window.longestFrame = Math.max(window.longestFrame, now - last);
    last = now;
    window.frameHandle = requestAnimationFrame(frame);
  };
  window.frameHandle = requestAnimationFrame(frame);
`;
const takeTasks = `(() => {
  for (const { duration } of window.taskObserver.takeRecords()) window.longTasks.push(duration);
  window.taskObserver.disconnect();
  cancelAnimationFrame(window.frameHandle);
  return { longTasks: window.longTasks, longestFrame: window.longestFrame };
})()`;

function nameOf(number: number): string {
  return `topic-${number}`;
}

function streamOf(number: number): string {
  return `many-${Math.floor(number / topicsPerStreamMax)}`;
}

async function makeTopics(server: BenchServer, client: Client, count: number): Promise<void> {
  for (let first = 0; first < count; first += topicsPerStreamMax) await client.createStream(streamOf(first));
  let next = 0;
  const run = async () => {
    const own = await connectTo(server);
    while (next < count) {
      const number = next++;
      await own.createTopic(streamOf(number), { name: nameOf(number), partitionsCount: 1 });
    }
    await own.close();
  };
  await Promise.all(Array.from({ length: clientsCount }, run));
}

function percentile(numbers: readonly number[], share: number): number {
  const sorted = numbers.toSorted((left, right) => left - right);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

function described(numbers: readonly number[]): string {
  const [half, most, all] = [percentile(numbers, 0.5), percentile(numbers, 0.95), Math.max(...numbers)];
  return `median ${half.toFixed(1)}, p95 ${most.toFixed(1)}, longest ${all.toFixed(1)} ms`;
}

/** Types the name of one topic after the other, and takes each away again. Throws where a key did not show what it asks for. */
async function pressKeys(page: Page, topics: number, keysCount: number): Promise<readonly Key[]> {
  const names = Array.from({ length: topics }, (_, number) => nameOf(number));
  const rowsOf = (query: string) => String(names.filter((name) => name.includes(query)).length + 1);
  await page.evaluate(watchKeys);
  await page.keyboard.press("/");
  const expected: string[] = [];
  let typed = "";
  const press = async (key: string, query: string) => {
    typed = query;
    expected.push(rowsOf(query));
    await page.keyboard.press(key);
    await page.evaluate(`window.untilKeys(${expected.length})`);
    await Bun.sleep(betweenKeysMs);
  };
  for (let round = 0; expected.length < keysCount; round++) {
    for (const key of nameOf((round * 7919) % topics)) await press(key, typed + key);
    while (typed !== "") await press("Backspace", typed.slice(0, -1));
  }
  const keys = await page.evaluate<readonly Key[]>("window.keys");
  keys.forEach(({ rows }, index) => {
    if (rows !== expected[index]) throw new Error(`key ${index} showed ${rows} rows and not ${expected[index]}`);
  });
  return keys;
}

/** Turns the wheel down the list and back, and jumps to its ends. */
async function scroll(page: Page): Promise<void> {
  const box = await page.getByRole("grid").locator("tbody").boundingBox();
  await page.mouse.move((box?.x ?? 0) + 100, 500);
  for (const sign of [1, -1]) {
    for (let step = 0; step < scrollSteps; step++) await page.mouse.wheel(0, sign * scrollPixels);
  }
  await page.keyboard.press("j");
  for (let turn = 0; turn < jumpRounds; turn++) {
    for (const key of jumps) await page.keyboard.press(key);
  }
}

/** Processor time of the page's main thread since it was asked for the first time, s: of all its tasks, and of their parts. */
async function threadSeconds(session: CDPSession): Promise<Readonly<Record<string, number>>> {
  const { metrics } = await session.send("Performance.getMetrics");
  return Object.fromEntries(metrics.map(({ name, value }) => [name, value]));
}

/** What it spent on each of `count` things between two answers of `threadSeconds`. */
function spentText(
  before: Readonly<Record<string, number>>,
  after: Readonly<Record<string, number>>,
  count: number,
): string {
  const ms = (name: string) => ((((after[name] ?? 0) - (before[name] ?? 0)) * 1000) / count).toFixed(1);
  return `${ms("TaskDuration")} ms (script ${ms("ScriptDuration")}, style ${ms("RecalcStyleDuration")}, layout ${ms("LayoutDuration")})`;
}

/** `keys`: at least so many are pressed. */
export async function measureTopics({ topics, keys }: { readonly topics: number; readonly keys: number }) {
  await withConsole(1, async ({ server, context, origin, client }) => {
    await makeTopics(server, client, topics);
    const shown = Math.min(topics, topicsPerStreamMax);
    const page = await context.newPage();
    await page.goto(`${origin}/ui/streams/${streamOf(0)}`);
    await page.getByRole("link", { name: nameOf(0), exact: true }).waitFor();
    await connected(page);
    const session = await context.newCDPSession(page);
    await session.send("Performance.enable", { timeDomain: "threadTicks" });
    const beforeKeys = await threadSeconds(session);
    const pressed = await pressKeys(page, shown, keys);
    console.log(`${topics} topics, ${shown} of them in the list; ${pressed.length} keys in its filter`);
    console.log(
      `  rows laid out after ${described(pressed.map(({ laidOutMs }) => laidOutMs))} (asked: p95 at most 16)`,
    );
    console.log(`  and their frame drawn after ${described(pressed.map(({ drawnMs }) => drawnMs))}`);
    console.log(
      `  processor time of the page for a key ${spentText(beforeKeys, await threadSeconds(session), pressed.length)}`,
    );
    await page.keyboard.press("Escape");
    const beforeScrolling = await threadSeconds(session);
    await page.evaluate(watchTasks);
    await scroll(page);
    type Tasks = { readonly longTasks: readonly number[]; readonly longestFrame: number };
    const { longTasks, longestFrame } = await page.evaluate<Tasks>(takeTasks);
    const spent = spentText(beforeScrolling, await threadSeconds(session), scrollTurns);
    const longest = longTasks.length === 0 ? "" : `, the longest of ${Math.max(...longTasks).toFixed(0)} ms`;
    console.log(
      `  scrolling: ${longTasks.length} tasks over 50 ms${longest} (asked: 0); longest frame ${longestFrame.toFixed(0)} ms`,
    );
    console.log(`  processor time of the page for a turn of the wheel or a jump ${spent}`);
  });
}
