// The whole program against a small broker in memory.

import { afterEach, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BenchReport } from "../../src/bench/report.ts";
import { until } from "../client/scripted-server.ts";
import { type FakeBroker, type Spoil, sealed, startFakeBroker } from "./fake-broker.ts";

const script = new URL("../../src/bench/main.ts", import.meta.url).pathname;
const brokers: FakeBroker[] = [];
afterEach(() => {
  for (const broker of brokers.splice(0)) broker.stop();
});

function serve(spoil?: Spoil, loses?: (send: number) => boolean): FakeBroker {
  const broker = startFakeBroker(spoil, loses);
  brokers.push(broker);
  return broker;
}

function start(port: number, args: readonly string[]) {
  return Bun.spawn([process.execPath, script, "--server", `127.0.0.1:${port}`, ...args], {
    stdout: "pipe",
    stderr: "pipe",
  });
}

async function bench(port: number, ...args: string[]) {
  const child = start(port, args);
  const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  return { exitCode: await child.exited, stdout, stderr };
}

async function benchJson(port: number, ...args: string[]) {
  const { exitCode, stdout, stderr } = await bench(port, "--json", ...args);
  expect(stderr).toBe("");
  const report: BenchReport = JSON.parse(stdout);
  return { exitCode, report };
}

const small = ["--messages-per-batch", "10", "--message-size", "50"];

describe("a run", () => {
  test("producers send what was asked for and their streams are deleted afterwards", async () => {
    const broker = serve();
    const { exitCode, report } = await benchJson(broker.port, ...small, "--batches", "20", "--actors", "2");
    expect(exitCode).toBe(0);
    expect(report.problems).toEqual([]);
    expect(report.groups).toHaveLength(1);
    expect(report.groups[0]).toMatchObject({ role: "producer", actors: 2, messages: 400, payloadBytes: 20_000 });
    expect(report.groups[0]!.latency.p50Ms).toBeGreaterThan(0);
    expect(broker.streams.size).toBe(0);
    expect(JSON.stringify(report)).not.toContain("password");
  });

  test("kept streams can be read again, with polls in flight", async () => {
    const broker = serve();
    await bench(broker.port, ...small, "--batches", "5", "--keep", "--pipeline", "3");
    expect(broker.streams.get("bench-stream-1")?.length).toBe(50);
    const { exitCode, report } = await benchJson(broker.port, "--kind", "consumer", ...small, "--pipeline", "2");
    expect(exitCode).toBe(0);
    expect(report.groups[0]).toMatchObject({ role: "consumer", messages: 50, requests: 5 });
    expect(report.groups[0]!.checks).toMatchObject({ messages: 50, sampled: 5, gaps: 0, duplicates: 0 });
    expect(broker.streams.size).toBe(1);
  });

  test("consumers without data write it first, and delete it", async () => {
    const broker = serve();
    const { report } = await benchJson(broker.port, "--kind", "consumer", ...small, "--batches", "4");
    expect(report.groups).toHaveLength(1);
    expect(report.groups[0]).toMatchObject({ role: "consumer", messages: 40 });
    expect(broker.streams.size).toBe(0);
  });

  test("both: consumers read everything that the producers wrote meanwhile, within the time", async () => {
    const broker = serve();
    const { exitCode, report } = await benchJson(
      broker.port,
      "--kind",
      "both",
      ...small,
      "--seconds",
      "0.3",
      "--warmup",
      "0.1",
    );
    expect(exitCode).toBe(0);
    const [producers, consumers] = report.groups;
    expect(producers!.messages).toBeGreaterThan(0);
    expect(consumers!.checks!.messages).toBeGreaterThanOrEqual(producers!.messages);
    expect(consumers!.latency.minMs).toBeGreaterThan(0);
  });

  test("a line of the original's form writes its report", async () => {
    const directory = mkdtempSync(join(tmpdir(), "whippet-bench-"));
    const line = "-m 50 -P 10 -b 5 pp -p 2 tcp output -o DIRECTORY --remark first";
    const { exitCode, stderr } = await bench(serve().port, ...line.replace("DIRECTORY", directory).split(" "));
    const [, path = ""] = /^Wrote (.*)\n$/.exec(stderr) ?? [];
    expect([exitCode, path]).toEqual([0, expect.stringMatching(/-pinned-producer-2-tcp\/report\.json$/)]);
    const report: BenchReport = JSON.parse(readFileSync(path, "utf8"));
    expect(report).toMatchObject({ version: 1, loop: "closed", options: { labels: { remark: "first" } } });
    expect(report.groups[0]).toMatchObject({ actors: 2, messages: 100, payloadBytes: 5_000 });
  });

  test("the table names what people look for", async () => {
    const { stdout, exitCode } = await bench(serve().port, "--kind", "single", "--batches", "50");
    expect(exitCode).toBe(0);
    for (const text of ["producers", "MB/s", "messages/s", "p50 ms", "p99.9 ms", "max ms"])
      expect(stdout).toContain(text);
  });
});

describe("a run fails with exit code 1", () => {
  const spoils: Record<string, Spoil> = {
    missing: (messages, first) => (first === 10 ? messages.slice(1) : messages),
    duplicate: (messages, first) => (first === 10 ? [messages[0]!, ...messages] : messages),
    damaged: (messages, first) => {
      const copy = messages.map((message) => new Uint8Array(message));
      if (first === 10) copy[0]![70]! ^= 1;
      return copy;
    },
    "wrongly sized": (messages) =>
      messages.map((message) => {
        const longer = new Uint8Array(message.length + 1);
        longer.set(message);
        new DataView(longer.buffer).setUint32(52, message.length + 1 - 64, true);
        return sealed(longer);
      }),
  };
  for (const [fault, spoil] of Object.entries(spoils)) {
    test(`when consumers find ${fault} messages`, async () => {
      const broker = serve(spoil);
      const { exitCode, report } = await benchJson(broker.port, "--kind", "consumer", ...small, "--batches", "4");
      expect(exitCode).toBe(1);
      expect(report.problems).toHaveLength(1);
      expect(report.problems[0]).toMatch(new RegExp(`[1-9]\\d* ${fault}`));
    });
  }

  test("when acknowledged messages are not there", async () => {
    const broker = serve(undefined, (send) => send === 3);
    const { exitCode, report } = await benchJson(broker.port, ...small, "--batches", "5");
    expect(exitCode).toBe(1);
    expect(report.problems[0]).toContain("holds 40 messages, but 50 were acknowledged");
  });

  test("when nobody answers, and says what to do", async () => {
    const broker = startFakeBroker();
    broker.stop();
    const { exitCode, stderr } = await bench(broker.port);
    expect(exitCode).toBe(1);
    expect(stderr).toContain(`No server at 127.0.0.1:${broker.port}`);
    expect(stderr).toContain("npm run server");
  });

  test("when the server goes away, and names that reason", async () => {
    const broker = serve();
    const child = start(broker.port, [...small, "--seconds", "60"]);
    await until(() => (broker.streams.get("bench-stream-1")?.length ?? 0) > 0);
    broker.stop();
    expect(await child.exited).toBe(1);
    const stderr = await child.stderr.text();
    expect(stderr).toContain("The benchmark failed: Disconnected");
    expect(stderr).toContain("could not be deleted");
  });

  test("when the login is refused", async () => {
    const { exitCode, stderr } = await bench(serve().port, "--password", "wrong");
    expect(exitCode).toBe(1);
    expect(stderr).toContain("InvalidCredentials");
  });
});

test("a wrong command line ends with exit code 2 and points to the help", async () => {
  const { exitCode, stderr } = await bench(1, "--actors", "none");
  expect(exitCode).toBe(2);
  expect(stderr).toContain("--help");
});

test("Ctrl-C ends the actor processes, deletes the streams and exits with 130", async () => {
  const broker = serve();
  const child = start(broker.port, [...small, "--seconds", "60"]);
  await until(() => (broker.streams.get("bench-stream-1")?.length ?? 0) > 0);
  child.kill("SIGINT");
  expect(await child.exited).toBe(130);
  expect(broker.streams.size).toBe(0);
  await until(() => broker.openConnectionsCount === 0);
});

test("actor processes do not outlive a coordinator that is killed", async () => {
  const broker = serve();
  const child = start(broker.port, [...small, "--seconds", "60", "--actors", "3"]);
  await until(() => (broker.streams.get("bench-stream-3")?.length ?? 0) > 0);
  child.kill("SIGKILL");
  await child.exited;
  await until(() => broker.openConnectionsCount === 0);
});
