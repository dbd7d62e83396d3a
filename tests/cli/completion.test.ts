// Completion: what a shell is told while somebody types.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join, resolve } from "node:path";
import { type InProcessBroker, startBroker } from "../../src/embedded/index.ts";
import { Whippet } from "./whippet.ts";

let broker: InProcessBroker;
let whippet: Whippet;

beforeAll(async () => {
  broker = await startBroker();
  whippet = new Whippet(broker.url());
  const root = await broker.client();
  await root.createStream("orders");
  await root.createStream("2026");
  await root.createTopic("orders", { name: "created", partitionsCount: 1 });
  await root.createConsumerGroup("orders", "created", "billing");
});
afterAll(() => broker[Symbol.asyncDispose]());

/** What is offered for a line that ends with what is being typed. */
async function offered(...args: readonly string[]): Promise<string[]> {
  const { stdout, stderr, exitCode } = await whippet.run(["complete", "--", ...args]);
  expect({ stderr, exitCode }).toEqual({ stderr: "", exitCode: 0 });
  return stdout
    .split("\n")
    .filter((line) => line.includes("\t"))
    .map((line) => line.split("\t")[0] ?? "");
}

describe("completion", () => {
  test("offers words, subcommands, options and their values", async () => {
    expect(await offered("top")).toEqual(["top", "topic"]);
    expect(await offered("topic", "p")).toEqual(["purge"]);
    expect(await offered("t", "l")).toEqual(["list"]);
    expect(await offered("topic", "create", "--max")).toEqual(["--max-topic-size"]);
    expect(await offered("stats", "-o", "")).toEqual(["table", "list", "json", "toml"]);
    expect(await offered("topic", "list", "orders", "--format", "nd")).toEqual(["ndjson"]);
    expect(await offered("user", "status", "ann", "")).toEqual(["active", "inactive"]);
  });

  test("offers names from the server, and digits as names", async () => {
    expect((await offered("stream", "get", "")).sort()).toEqual(["name:2026", "orders"]);
    expect(await offered("topic", "get", "orders", "")).toEqual(["created"]);
    expect(await offered("g", "get", "orders", "created", "b")).toEqual(["billing"]);
    expect(await offered("user", "get", "")).toEqual(["iggy"]);
  });

  test("offers contexts without a server", async () => {
    await whippet.line("context create prod --url iggy://a");
    expect(await offered("context", "use", "")).toEqual(["default", "prod"]);
  });

  test("offers nothing, and asks nothing, where nobody answers or a password is missing", async () => {
    expect(await offered("--url", "iggy://127.0.0.1:1", "stream", "get", "")).toEqual([]);
    expect(await offered("-u", "ann", "stream", "get", "")).toEqual([]);
    await broker.network.pause();
    const startedAtMs = performance.now();
    expect(await offered("stream", "get", "")).toEqual([]);
    broker.network.resume();
    // A client waits ten seconds for its server; a key waits 300 ms, however slow the machine is.
    expect(performance.now() - startedAtMs).toBeLessThan(9_000);
  });

  test.each([["bash"], ["zsh"], ["fish"], ["powershell"]])("has a script for %s", async (shell) => {
    const { exitCode, stdout } = await whippet.line(`completion ${shell}`);
    expect(exitCode).toBe(0);
    expect(stdout).toContain("whippet complete ");
    expect((await whippet.line(`--generate ${shell}`)).stdout).toBe(stdout);
  });

  test("names the shells that there are", async () => {
    const { exitCode, stderr } = await whippet.line("completion elvish");
    expect([exitCode, stderr]).toEqual([
      2,
      "whippet: there is no completion for elvish: it is one of bash, zsh, fish, powershell\n",
    ]);
  });

  test("works in bash", async () => {
    const main = resolve(import.meta.dir, "../../src/process/main.ts");
    const script = `
      whippet() { "${process.execPath}" --no-env-file "${main}" "$@"; }
      # Of the package bash-completion.
      _get_comp_words_by_ref() { words=("\${line[@]}"); cword=$((\${#line[@]} - 1)); cur="\${line[$cword]}"; prev=""; }
      source <(whippet completion bash)
      line=(whippet topic get ord)
      __whippet_complete 2> /dev/null # compopt works in a shell with a prompt only
      echo "\${COMPREPLY[@]}"`;
    const child = Bun.spawn(["bash", "-c", script], {
      stdout: "pipe",
      stderr: "pipe",
      env: { ...process.env, WHIPPET_URL: broker.url(), IGGY_HOME: join(whippet.home, "none") },
    });
    const [stdout, stderr] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
    expect({ stdout: stdout.trim(), stderr }).toEqual({ stdout: "orders", stderr: "" });
  }, 60_000);
});
