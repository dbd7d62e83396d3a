import { afterEach, describe, expect, test } from "bun:test";
import { loadConfig } from "../../src/config/load.ts";
import { createLoopMemory, LoopPulse, type LoopReport, LoopWatch, Supervisor } from "../../src/shard/index.ts";
import { beatMs, stalledMs } from "../../src/shard/loop-watch.ts";
import { eventually } from "../support/process-facts.ts";
import { sampleRequests } from "./samples.ts";
import { startShards } from "./setup.ts";

const pulses: LoopPulse[] = [];

afterEach(() => {
  for (const pulse of pulses.splice(0)) pulse.stop();
});

/** Two shards in memory; `turn` is a beat of one of them, as its timer makes it. */
function make() {
  const memory = createLoopMemory(2);
  const reports: LoopReport[] = [];
  const watch = new LoopWatch(memory, (report) => reports.push(report));
  const shards = [0, 1].map((shardId) => new LoopPulse(memory, shardId));
  pulses.push(...shards);
  let nowMs = 1000;
  const look = (passedMs = beatMs) => {
    nowMs += passedMs;
    watch.look(nowMs);
  };
  const beats = new Int32Array(memory);
  const turn = (shardId: number) => Atomics.add(beats, shardId * (beats.length / 2), 1);
  return { shards, reports, look, turn };
}

describe("a shard whose loop does not turn", () => {
  test("is told and counted once it has not for five seconds, again at twice the time, and when it does again", () => {
    const { shards, reports, look, turn } = make();
    turn(0);
    turn(1);
    shards[1]!.began("the saver");
    look();
    for (let second = 1; second <= 10; second++) {
      turn(0);
      look();
      if (second === 4) expect(reports).toEqual([]);
    }
    const ofSaver = { shardId: 1, isOver: false, step: "the saver" };
    expect(reports).toEqual([
      { ...ofSaver, stalledMs },
      { ...ofSaver, stalledMs: stalledMs * 2 },
    ]);
    expect(shards.map(({ stallsCount }) => stallsCount)).toEqual([0, 1]);
    turn(0);
    turn(1);
    shards[1]!.began("the writes of a turn");
    look();
    expect(reports.at(-1)).toEqual({
      shardId: 1,
      isOver: true,
      stalledMs: stalledMs * 2,
      step: "the writes of a turn",
    });
    expect(reports).toHaveLength(3);
  });

  test("is not watched before its first beat", () => {
    const { shards, reports, look } = make();
    for (let second = 0; second < 60; second++) look();
    expect(reports).toEqual([]);
    expect(shards[0]!.stallsCount).toBe(0);
  });

  test("is not found where the whole process was suspended", () => {
    const { reports, look, turn } = make();
    turn(0);
    look();
    look(3_600_000);
    turn(0);
    look();
    expect(reports).toEqual([]);
  });
});

test("every request of another shard and every command has a name", () => {
  const { shards, reports, look, turn } = make();
  const stepOf = (): string => {
    turn(0);
    for (let second = 0; second < 7; second++) look();
    const { step } = reports.at(-1)!;
    turn(0);
    look();
    return step;
  };
  for (const kind of Object.keys(sampleRequests) as (keyof typeof sampleRequests)[]) {
    shards[0]!.beganRequest(kind);
    expect(stepOf()).toBe(`a request of another shard (${kind})`);
  }
  shards[0]!.beganCommand(101);
  expect(stepOf()).toBe("the command sendMessages");
});

test("a shard's statistics have what the main thread has counted", async () => {
  const running = startShards();
  const [zero] = running.shards;
  const samples = (await zero.shard.allStatistics()).flatMap((each) => each.samples);
  expect(samples.filter(({ key }) => key === "stalledLoops").map(({ value }) => value)).toEqual([0, 0]);
  await running.close();
});

test("the main thread finds a worker that blocks, and hears when it goes on", async () => {
  const { config } = loadConfig({ environment: { IGGY_CONFIG_PATH: "/dev/null" }, workingDirectory: "/" });
  const reports: LoopReport[] = [];
  const supervisor = new Supervisor({
    config,
    shardCount: 2,
    settingOrigins: {},
    logFilter: "off",
    logFile: undefined,
    startTimeMicros: 0,
    follower: false,
    root: { username: "iggy", password: "iggy" },
    tls: {},
    listenPorts: { tcp: 0, websocket: 0, quic: 0, http: 0 },
    loginPorts: Array.from({ length: 2 }, () => new MessageChannel().port1),
    makeWorker: (name) => new Worker(new URL("./workers/stalling-worker.ts", import.meta.url).href, { name }),
    onLoop: (report) => reports.push(report),
    onFailure: (reason) => expect(reason).toBe("no failure"),
  });
  await supervisor.start();
  await eventually(
    "its going on",
    () => reports,
    (seen) => seen.some(({ isOver }) => isOver),
  );
  // On a busy machine it may be told once more in between.
  expect([reports[0], reports.at(-1)]).toEqual([
    { shardId: 1, isOver: false, stalledMs: expect.any(Number), step: "the command sendMessages" },
    { shardId: 1, isOver: true, stalledMs: expect.any(Number), step: "the command sendMessages" },
  ]);
  for (const report of reports) expect(report.stalledMs).toBeGreaterThanOrEqual(stalledMs);
  expect(await supervisor.stop()).toBe(true);
}, 120_000);
