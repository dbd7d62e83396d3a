// What probes are told. States that a running broker has only for a moment are asked of the router, over the shards of a test.
import { afterEach, describe, expect, test } from "bun:test";
import type { ServerContext } from "../../src/server/index.ts";
import { createLoopMemory, LoopPulse, LoopWatch } from "../../src/shard/index.ts";
import { beatMs, stalledMs } from "../../src/shard/loop-watch.ts";
import { readinessOf } from "../../src/transport/http/routes/health.ts";
import { useServers } from "../support/server.ts";
import { HttpTestClient } from "./http-client.ts";

const servers = useServers();
const pulses: LoopPulse[] = [];

afterEach(() => {
  for (const pulse of pulses.splice(0)) pulse.stop();
});

describe("a broker that runs", () => {
  test("is live and ready for anybody, over GET and HEAD, and says nothing else", async () => {
    const server = await servers.start({ shards: 2 });
    const anonymous = new HttpTestClient(server);
    for (const [path, text] of [
      ["/health/live", "live"],
      ["/health/ready", "ready"],
    ] as const) {
      const answer = await anonymous.request("GET", path);
      expect([answer.status, answer.text, answer.type?.split(";")[0]]).toEqual([200, text, "text/plain"]);
      expect((await anonymous.request("HEAD", path)).status).toBe(200);
      expect((await anonymous.request("POST", path)).status).toBe(405);
    }
    expect((await anonymous.request("GET", "/health")).status).toBe(401);

    // What is answered while it is not ready stands in the document.
    const document = (await anonymous.request("GET", "/openapi")).json as {
      paths: Record<string, { get: { security: unknown[]; responses: Record<string, { content: object }> } }>;
    };
    const ready = document.paths["/health/ready"]?.get;
    expect(ready?.security).toEqual([]);
    expect(Object.keys(ready?.responses ?? {}).toSorted()).toEqual(["200", "503"]);
    expect(Object.keys(ready?.responses["503"]?.content ?? {})).toEqual(["text/plain"]);
    expect(Object.keys(document.paths["/health/live"]?.get.responses ?? {})).toEqual(["200"]);
  });
});

describe("readiness", () => {
  /** As much of a context as is looked at. */
  const contextWith = (changes: { hasStarted?: boolean; isShuttingDown?: boolean; pulse?: LoopPulse }) =>
    ({
      shard: { pulse: changes.pulse ?? new LoopPulse(createLoopMemory(1), 0) },
      hasStarted: () => changes.hasStarted ?? true,
      isShuttingDown: () => changes.isShuttingDown ?? false,
    }) as unknown as ServerContext;

  test("begins when every shard listens, and ends with the stop", () => {
    expect(readinessOf(contextWith({ hasStarted: false }))).toBe("starting");
    expect(readinessOf(contextWith({}))).toBe("ready");
    expect(readinessOf(contextWith({ isShuttingDown: true }))).toBe("stopping");
    expect(readinessOf(contextWith({ hasStarted: false, isShuttingDown: true }))).toBe("stopping");
  });

  test("is interrupted while another shard does not turn its event loop", () => {
    const memory = createLoopMemory(2);
    const watch = new LoopWatch(memory, () => undefined);
    const [own, other] = [new LoopPulse(memory, 0), new LoopPulse(memory, 1)];
    pulses.push(own, other);
    const beats = new Int32Array(memory);
    const turn = (shardId: number) => Atomics.add(beats, shardId * (beats.length / 2), 1);
    turn(1);
    const seen: string[] = [];
    for (let nowMs = 0; nowMs <= stalledMs + beatMs; nowMs += beatMs) {
      turn(0);
      watch.look(nowMs);
      seen.push(readinessOf(contextWith({ pulse: own })));
    }
    expect(seen.slice(0, -2).every((each) => each === "ready")).toBe(true);
    expect(seen.at(-1)).toBe("stalled");
    turn(1);
    watch.look(stalledMs + 3 * beatMs);
    expect(readinessOf(contextWith({ pulse: own }))).toBe("ready");
  });
});
