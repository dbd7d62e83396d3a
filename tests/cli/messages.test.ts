// `whippet message send`, `poll` and `flush` against a broker.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type InProcessBroker, startBroker } from "../../src/embedded/index.ts";
import { type RunOptions, Whippet } from "./whippet.ts";

let broker: InProcessBroker;
let whippet: Whippet;
const directory = mkdtempSync(join(tmpdir(), "whippet-messages-"));

beforeAll(async () => {
  broker = await startBroker();
  whippet = new Whippet(broker.url());
  const root = await broker.client();
  await root.createStream("orders");
  for (const name of ["created", "copy", "lines", "keys", "secret"]) {
    await root.createTopic("orders", { name, partitionsCount: name === "keys" ? 4 : 1 });
  }
});
afterAll(() => broker[Symbol.asyncDispose]());

async function said(line: string, options?: RunOptions): Promise<string> {
  const { exitCode, stdout, stderr } = await whippet.line(line, options);
  expect({ exitCode, stdout, line }).toEqual({ exitCode: 0, stdout: "", line });
  return stderr;
}

async function shown(line: string): Promise<string> {
  const { exitCode, stdout, stderr } = await whippet.line(line);
  expect({ exitCode, stderr, line }).toEqual({ exitCode: 0, stderr: "", line });
  return stdout;
}

async function payloads(place: string, count = 100): Promise<string[]> {
  const lines = await shown(`message poll --first -m ${count} ${place} --format ndjson`);
  return lines
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line).payload);
}

describe("texts", () => {
  test("are sent with headers and read as a table", async () => {
    expect(
      await said('message send -p 0 -H source:string:cli,attempt:uint8:2 orders created "hello" "wörld\u0007"'),
    ).toBe("Sent 2 messages to orders/created, partition 0.\n");
    const lines = (await shown("message poll --first -m 2 -s orders created 0")).split("\n");
    expect(
      lines.map((line) => line.replace(/\d{4}-\d\d-\d\d [\d:.]+/, "TIME").replace(/[0-9a-f]{8}-[0-9a-f-]{27}/, "ID")),
    ).toEqual([
      "OFFSET  TIME                        ID                                    BYTES  HEADERS                                   PAYLOAD",
      "     0  TIME  ID      5  source: cli (string), attempt: 2 (uint8)  hello",
      "     1  TIME  ID      7  source: cli (string), attempt: 2 (uint8)  wörld\\x07",
      "",
    ]);
    const [first] = JSON.parse(await shown("m p --first orders created 0 --json"));
    expect(first).toMatchObject({
      partition: 0,
      offset: 0,
      payload: "hello",
      headers: [
        { key: "source", kind: "string", value: "cli" },
        { key: "attempt", kind: "uint8", value: 2 },
      ],
    });
  });

  test("are polled from where one says, and only from there", async () => {
    expect(await shown("message poll --offset 1 -m 5 orders created 0 --format ndjson")).toContain('"offset":1');
    await said("consumer-offset set 7 orders created 0 0");
    expect(await shown("message poll --next -c 7 -a orders created 0 --format ndjson")).toContain('"offset":1');
    expect(await shown("consumer-offset get 7 orders created 0")).toContain("committed 1,");
    expect(await whippet.line("message poll orders created 0")).toMatchObject({
      exitCode: 2,
      stderr: "whippet: one of --offset, --first, --last and --next is needed\n",
    });
    expect(await whippet.line("message poll --first orders created 3")).toMatchObject({
      exitCode: 5,
      stderr: 'whippet: no partition 3 of topic "created" in stream "orders": it has 0 to 0  (error 3007)\n',
    });
    expect(await shown("message poll --first orders copy 0 --json")).toBe("[]\n");
  });

  test.each([
    [
      "message send -H a:uint9:1 orders created x",
      'whippet: --headers "a:uint9:1" has "a:uint9:1": the kind is one of raw, ',
    ],
    [
      "message send -p 0 -m key orders created x",
      "whippet: only one of --partition-id, --message-key and --key-header",
    ],
    ["message send -H a:uint8:999 orders created x", "whippet: a header does not fit: "],
  ])("%s is wrong", async (line, start) => {
    const { exitCode, stderr } = await whippet.line(line);
    expect([exitCode, stderr.slice(0, start.length)]).toEqual([2, start]);
  });
});

describe("stdin", () => {
  test("is sent line by line while it comes", async () => {
    let go = () => {};
    const polled = new Promise<void>((resolve) => {
      go = resolve;
    });
    async function* lines() {
      yield "one\ntw";
      await polled; // what is whole is sent before more comes
      yield "o\r\n\nthree";
    }
    const sending = said("message send -m web-1 orders lines", { stdin: lines() });
    while ((await payloads("orders lines 0")).length === 0) await Bun.sleep(5);
    expect(await payloads("orders lines 0")).toEqual(["one"]);
    go();
    expect(await sending).toBe("Sent 3 messages to orders/lines.\n");
    expect(await payloads("orders lines 0")).toEqual(["one", "two", "three"]);
  });

  test("ends in good order when the user interrupts, and says what was sent", async () => {
    const abort = new AbortController();
    async function* endless() {
      yield "a\nb\n";
      await new Promise(() => undefined);
    }
    const running = whippet.line("message send orders lines", { stdin: endless(), signal: abort.signal });
    while ((await payloads("orders lines 0")).length < 5) await Bun.sleep(5);
    abort.abort();
    expect(await running).toEqual({ exitCode: 130, stdout: "", stderr: "Sent 2 messages to orders/lines.\n" });
  });

  test("is not read faster than the rate", async () => {
    const startedAtMs = performance.now();
    expect(await said("message send --rate 50 orders lines", { stdin: "x\n".repeat(26) })).toBe(
      "Sent 26 messages to orders/lines.\n",
    );
    expect(performance.now() - startedAtMs).toBeGreaterThan(400);
  });
});

describe("files of messages", () => {
  test("are written byte for byte as they are read again, ids and headers kept", async () => {
    const [file, again] = [join(directory, "0.log"), join(directory, "1.log")];
    expect(await said(`message poll --first -m 2 --output-file ${file} orders created 0`)).toStartWith(
      "Wrote 2 messages of orders/created, partition 0 to ",
    );
    const bytes = readFileSync(file);
    expect(bytes.length).toBe(statSync(file).size);
    expect(bytes.subarray(64, 69).toString()).toBe("hello");
    expect(await said(`message send --input-file ${file} orders copy`)).toBe("Sent 2 messages to orders/copy.\n");
    await said(`message poll --first -m 2 --output-file ${again} orders copy 0`);
    const idAndRest = (log: Buffer) => [log.subarray(8, 24), log.subarray(40, 69)].map((part) => part.toString("hex"));
    expect(idAndRest(readFileSync(again))).toEqual(idAndRest(bytes));
    writeFileSync(file, bytes.subarray(0, bytes.length - 1));
    expect(await whippet.line(`message send --input-file ${file} orders copy`)).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/does not end with a whole message: \d+ bytes from position \d+ on\n$/),
    });
    expect(await whippet.line(`message send --input-file ${directory}/none orders copy`)).toMatchObject({
      exitCode: 5,
    });
  });
});

test("the key of a message may be one of its headers: messages of one key are in one partition", async () => {
  for (const user of ["ann", "bob", "ann"])
    await said(`message send --key-header user -H user:string:${user} orders keys ${user}`);
  const found = await Promise.all([0, 1, 2, 3].map((partition) => payloads(`orders keys ${partition}`)));
  expect(found.flat().sort()).toEqual(["ann", "ann", "bob"]);
  expect(found.filter((texts) => texts.includes("ann"))).toHaveLength(1);
  expect(await whippet.line("message send --key-header user orders keys x")).toMatchObject({
    exitCode: 1,
    stderr: 'whippet: a message has no header "user" to take its key from\n',
  });
});

test("payloads are encrypted with a key, and read with it only", async () => {
  const key = Buffer.alloc(32, 7).toString("base64");
  await said(`--encryption-key ${key} message send orders secret whisper`);
  expect(await shown(`--encryption-key ${key} message poll --first orders secret 0 --format ndjson`)).toContain(
    '"payload":"whisper"',
  );
  expect(await shown("message poll --first orders secret 0 --format ndjson")).not.toContain("whisper");
  expect(await whippet.line("--encryption-key short message poll --first orders secret 0")).toMatchObject({
    exitCode: 2,
    stderr: "whippet: the encryption key is not 32 bytes in base64\n",
  });
});

test("flushing writes what is in memory", async () => {
  expect(await said("message flush -f orders created 0")).toBe("Flushed and synced orders/created, partition 0.\n");
  expect(await whippet.line("message flush orders nowhere 0")).toMatchObject({ exitCode: 5 });
});

test("a long list goes through the pager on a terminal, and not with --no-pager", async () => {
  await said("message send orders copy", { stdin: "line\n".repeat(40) });
  const line = "message poll --first -m 50 orders copy 0";
  expect((await whippet.line(line, { isTerminal: true })).stdout).toBe("");
  expect(whippet.paged[0]?.split("\n").length).toBeGreaterThan(40);
  expect((await whippet.line(`${line} --no-pager`, { isTerminal: true })).stdout.split("\n").length).toBeGreaterThan(
    40,
  );
  // The terminal has 80 columns: what does not fit is cut, and said so.
  expect(whippet.paged[0]).toContain("…\n");
});
