import { expect, test } from "bun:test";
import { tmpdir } from "node:os";
import { loadConfig } from "../../src/config/load.ts";
import { createLogger } from "../../src/observability/log.ts";
import { systemTimers } from "../../src/platform/clock.ts";
import { startMaintenance } from "../../src/process/maintenance.ts";
import type { Sessions } from "../../src/server/index.ts";
import { type Cleaner, createLoopMemory, LoopPulse, type Shard, Statistics } from "../../src/shard/index.ts";
import { eventually } from "../support/process-facts.ts";

function configWith(environment: Record<string, string>) {
  const given = { IGGY_CONFIG_PATH: "/dev/null", ...environment };
  return loadConfig({ environment: given, workingDirectory: tmpdir() }).config;
}

test("a tick that is still at work is not started again; one that failed is", async () => {
  const waiting: PromiseWithResolvers<void>[] = [];
  const shard = {
    shardId: 1,
    pulse: new LoopPulse(createLoopMemory(2), 1),
    statistics: new Statistics(),
    save: () => {
      waiting.push(Promise.withResolvers<void>());
      return waiting.at(-1)!.promise;
    },
  } as unknown as Shard;
  const lines: string[] = [];
  const stop = startMaintenance({
    config: configWith({ IGGY_MESSAGE_SAVER_INTERVAL: "1 ms", IGGY_HEARTBEAT_ENABLED: "false" }),
    shard,
    sessions: {} as Sessions,
    cleaner: {} as Cleaner,
    timers: systemTimers,
    log: createLogger({ filter: "info", write: (line) => lines.push(line) }),
  });
  const started = (count: number) =>
    eventually(
      `${count} ticks`,
      () => waiting.length,
      (length) => length === count,
    );
  await started(1);
  await Bun.sleep(30);
  await started(1);
  waiting[0]!.reject(new Error("slow disk"));
  await started(2);
  waiting[1]!.resolve();
  await started(3);
  stop();
  waiting[2]!.resolve();
  await Bun.sleep(30);
  expect(waiting).toHaveLength(3);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toContain("the saver failed");
});
