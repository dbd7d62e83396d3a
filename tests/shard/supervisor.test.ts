import { afterEach, expect, test } from "bun:test";
import { loadConfig } from "../../src/config/load.ts";
import { type FromShard, Supervisor } from "../../src/shard/index.ts";
import type { SupervisorOptions } from "../../src/shard/supervisor.ts";

const { config } = loadConfig({ environment: { IGGY_CONFIG_PATH: "/dev/null" }, workingDirectory: "/" });

afterEach(() => {
  delete process.env.SCRIPTED_ENDING;
});

function supervise(
  shardCount: number,
  onFailure: (reason: string) => void,
  more: Partial<SupervisorOptions> = {},
): Supervisor {
  return new Supervisor({
    config,
    shardCount,
    settingOrigins: {},
    logFilter: "off",
    logFile: undefined,
    startTimeMicros: 0,
    follower: false,
    root: { username: "iggy", password: "iggy" },
    tls: {},
    listenPorts: { tcp: 0, websocket: 8092, quic: 0, http: 0 },
    loginPorts: Array.from({ length: shardCount }, () => new MessageChannel().port1),
    makeWorker: (name) => new Worker(new URL("./workers/scripted-worker.ts", import.meta.url).href, { name }),
    onFailure,
    ...more,
  });
}

test("threads start one after the other, the last ones those of others; partitions are opened side by side", async () => {
  // A scripted shard 0 does not say that its partitions are open before all others have begun.
  const steps: string[] = [];
  const supervisor = supervise(3, (reason) => steps.push(reason), {
    makeWorker: (name) => {
      const worker = new Worker(new URL("./workers/scripted-worker.ts", import.meta.url).href, { name });
      steps.push(`${name} starts`);
      worker.addEventListener("message", ({ data }: MessageEvent<FromShard>) => {
        if (data.kind === "loaded") steps.push(`${name} runs`);
      });
      return worker;
    },
    startOthers: async () => void steps.push("others start"),
  });
  await supervisor.start();
  const ofShards = [0, 1, 2].flatMap((id) => [`shard-${id} starts`, `shard-${id} runs`]);
  expect(steps).toEqual([...ofShards, "others start"]);
  expect(await supervisor.stop()).toBe(true);
});

test("every shard listens on the ports that shard 0 got, and an orderly stop is not a failure", async () => {
  const failures: string[] = [];
  const supervisor = supervise(3, (reason) => failures.push(reason));
  expect(await supervisor.start()).toEqual({ tcp: 4711, websocket: 8092, quic: 0, http: 0 });
  expect(supervisor.hasSetRootPassword).toBe(true);
  expect(await supervisor.stop()).toBe(true);
  expect(failures).toEqual([]);
});

test.each([
  ["throws", /^shard-\d died: .*this shard is broken/s],
  ["exits", /shard-\d ended unexpectedly/],
  ["says", /shard-\d: no disk/],
])("a shard that %s is reported once, with its name and the reason", async (ending, expected) => {
  process.env.SCRIPTED_ENDING = ending;
  const failures: string[] = [];
  const failed = Promise.withResolvers<void>();
  const supervisor = supervise(2, (reason) => {
    failures.push(reason);
    failed.resolve();
  });
  await supervisor.start();
  await failed.promise;
  await Bun.sleep(50); // both shards end in the same way: the second must not be reported
  expect(failures).toHaveLength(1);
  expect(failures[0]).toMatch(expected);
});
