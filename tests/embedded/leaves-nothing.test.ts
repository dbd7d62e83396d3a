// What a broker inside a test leaves behind when it is over: nothing.

import { heapStats } from "bun:jsc";
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startBroker } from "../../src/embedded/index.ts";
import { eventually } from "../support/process-facts.ts";
import { expectQuick } from "../support/quiet-machine.ts";

setDefaultTimeout(240_000);
const brokersCount = 100;

/** Others on this machine have temporary directories, too. */
let ownTemporary = "";
const temporaryBefore = process.env.TMPDIR;
beforeAll(() => {
  ownTemporary = mkdtempSync(join(tmpdir(), "leaves-nothing-"));
  process.env.TMPDIR = ownTemporary;
});
afterAll(() => {
  if (temporaryBefore === undefined) delete process.env.TMPDIR;
  else process.env.TMPDIR = temporaryBefore;
  rmSync(ownTemporary, { recursive: true });
});

/** What each descriptor of this process is, sorted, but for the descriptor of the list itself. */
function descriptors(): string[] {
  return readdirSync("/proc/self/fd")
    .flatMap((fd) => {
      try {
        const what = readlinkSync(`/proc/self/fd/${fd}`);
        return what.startsWith("/proc/") ? [] : [what.replace(/\d+/g, "N")];
      } catch {
        return []; // closed since it was listed
      }
    })
    .sort();
}

/** Ports at which this process listens. */
function listeningPorts(): number[] {
  const own = new Set(
    readdirSync("/proc/self/fd").flatMap((fd) => {
      try {
        return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/self/fd/${fd}`))?.[1] ?? [];
      } catch {
        return [];
      }
    }),
  );
  const rows = readFileSync("/proc/self/net/tcp", "utf8").split("\n").slice(1);
  return rows.flatMap((row) => {
    const [, local = "", , state, , , , , , inode = ""] = row.trim().split(/\s+/);
    return state === "0A" && own.has(inode) ? [Number.parseInt(local.split(":")[1] ?? "", 16)] : [];
  });
}

/** Timers that are set, or were and are not collected yet; the runtime does not name those that are set alone. */
function timersCount(): number {
  Bun.gc(true);
  const { Timeout = 0, Immediate = 0 } = heapStats().objectTypeCounts;
  return Timeout + Immediate;
}

function facts() {
  return {
    descriptors: descriptors(),
    ports: listeningPorts(),
    threads: readdirSync("/proc/self/task").length,
    timersCount: timersCount(),
    directories: readdirSync(ownTemporary),
  };
}

/** Every second one is used as tests use it, and some go over to the next life. */
async function useOne(index: number): Promise<number> {
  const startedMs = performance.now();
  await using broker = await startBroker({ storage: index % 10 === 0 ? "temporary" : "memory" });
  const tookMs = performance.now() - startedMs;
  if (index % 2 === 1) return tookMs;
  const topic = await broker.freshTopic({ partitionsCount: 2 });
  await topic.producer().send({ value: Uint8Array.of(index) });
  if (index % 4 === 0) await broker.kill();
  if (index % 8 === 0) {
    await broker.restart();
    await broker.clock.advance(60_000);
  }
  return tookMs;
}

test("one hundred brokers leave no file, port, timer or thread behind", async () => {
  // What the runtime makes once and keeps: threads, descriptors of its own, compiled code.
  for (let index = 0; index < 12; index++) await useOne(index);
  const before = facts();
  const tookMs: number[] = [];
  for (let index = 0; index < brokersCount; index++) tookMs.push(await useOne(index));
  tookMs.sort((left, right) => left - right);
  const median = tookMs[brokersCount / 2] ?? 0;
  console.info(`ready after ${median.toFixed(1)} ms (median), ${tookMs.at(-1)?.toFixed(1)} ms (longest)`);
  expectQuick("a broker is ready", median, 50);

  const isNothingLeft = (now: typeof before) =>
    now.descriptors.length <= before.descriptors.length &&
    now.threads <= before.threads &&
    now.timersCount <= before.timersCount;
  // What is closed goes with the next turns, and what is collected a little later.
  const after = await eventually("nothing is left behind", facts, isNothingLeft, 30_000);
  expect(after.ports).toEqual(before.ports);
  expect(after.directories).toEqual([]);
});
