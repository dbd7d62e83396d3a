// `whippet tail`, `export`, `import` against a broker.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync, zstdDecompressSync } from "node:zlib";
import fc from "fast-check";
import { LineError, readLine } from "../../src/cli/transfer/lines.ts";
import { type InProcessBroker, startBroker } from "../../src/embedded/index.ts";
import { encode } from "../../src/protocol/codec.ts";
import { messageLine } from "../../src/protocol/message-line.ts";
import { headerString, userHeadersCodec } from "../../src/protocol/user-headers.ts";
import { type Ran, Whippet } from "./whippet.ts";

let broker: InProcessBroker;
let whippet: Whippet;
const directory = mkdtempSync(join(tmpdir(), "whippet-transfer-"));
const at = (name: string) => join(directory, name);

beforeAll(async () => {
  broker = await startBroker();
  whippet = new Whippet(broker.url());
  await run("stream create orders");
});
afterAll(async () => {
  await broker[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true });
});

async function run(line: string, options = {}): Promise<Ran> {
  const ran = await whippet.line(line, options);
  if (ran.exitCode !== 0) throw new Error(`${line}: ${ran.exitCode} ${ran.stderr}`);
  return ran;
}

async function send(topic: string, partitionId: number, ...texts: string[]): Promise<void> {
  await (await broker.client()).sendMessages({
    stream: "orders",
    topic,
    partitioning: { kind: "partition", partitionId },
    messages: texts.map((text, index) => ({
      payload: new TextEncoder().encode(text),
      id: BigInt(partitionId * 1000 + index + 1),
      originTimestampMicros: BigInt(index + 5),
      userHeaders: encode(userHeadersCodec, [
        { key: headerString("source"), value: { kind: "string", value: index % 2 === 0 ? "cli" : "web" } },
        { key: headerString("big"), value: { kind: "uint64", value: 18_446_744_073_709_551_615n } },
      ]),
    })),
  });
}

/** Times are the broker's own. */
const withoutTimes = (text: string) => text.replace(/"timestamp":\d+/g, '"timestamp":0');

describe("a line", () => {
  const bytes = (max: number) => fc.uint8Array({ maxLength: max });
  const message = fc.record({
    id: fc.bigInt(0n, 2n ** 128n - 1n),
    offset: fc.bigInt(0n, 2n ** 64n - 1n),
    timestampMicros: fc.bigInt(0n, 2n ** 64n - 1n),
    originTimestampMicros: fc.bigInt(0n, 2n ** 64n - 1n),
    payload: fc.oneof(
      bytes(50),
      fc.string({ unit: "binary" }).map((text) => new TextEncoder().encode(text)),
    ),
    userHeaders: fc
      .array(
        fc.record({
          key: fc.string({ minLength: 1, maxLength: 20 }).map(headerString),
          value: fc.oneof(
            fc.uint8Array({ minLength: 1, maxLength: 30 }).map((value) => ({ kind: "raw", value }) as const),
            fc.string({ minLength: 1, maxLength: 20 }).map((value) => ({ kind: "string", value }) as const),
            fc.boolean().map((value) => ({ kind: "bool", value }) as const),
            fc.bigInt(-(2n ** 127n), 2n ** 127n - 1n).map((value) => ({ kind: "int128", value }) as const),
            fc.bigInt(0n, 2n ** 64n - 1n).map((value) => ({ kind: "uint64", value }) as const),
            fc.integer({ min: -128, max: 127 }).map((value) => ({ kind: "int8", value }) as const),
            fc.double().map((value) => ({ kind: "float64", value: value === 0 ? 0 : value }) as const),
          ),
        }),
        { maxLength: 5 },
      )
      .map((headers) => encode(userHeadersCodec, headers)),
  });

  test("is read as it was written, whatever the message", () =>
    fc.assert(
      fc.property(fc.nat(2 ** 31), message, (partitionId, written) => {
        expect(readLine(messageLine(partitionId, written).trimEnd())).toEqual({ partitionId, message: written });
      }),
    ));

  test.each([
    ["", "is no JSON"],
    ["[]", "is no object"],
    ['{"payload":1}', "payload"],
    ["{}", "payload"],
    ['{"payload":"a","payload_base64":"YQ=="}', "payload"],
    ['{"payload_base64":"Y"}', "no base64"],
    ['{"payload":"a","id":"x"}', "id"],
    ['{"payload":"a","partition":-1}', "partition"],
    ['{"payload":"a","headers":[{"key":"k","kind":"uint8","value":"300"}]}', "does not fit"],
    ['{"payload":"a","headers":[{"key":"k","kind":"number","value":"3"}]}', "kind"],
    ['{"payload":"a","headers":[{"key":"k","kind":"bool","value":1}]}', "not of its kind"],
  ])("%s is refused: %s", (text, why) => {
    expect(() => readLine(text)).toThrow(LineError);
    expect(() => readLine(text)).toThrow(why);
  });
});

describe("export and import", () => {
  beforeAll(async () => {
    await run("topic create orders created 3 none");
    for (const partition of [0, 1, 2]) {
      await send("created", partition, ...Array.from({ length: 1500 }, (_, index) => `${partition}-${index}`));
    }
  });

  test.each([
    "all.ndjson",
    "all.ndjson.gz",
    "all.ndjson.zst",
  ])("%s, sent to another topic, is exported alike", async (name) => {
    const { stderr } = await run(`export orders created -o ${at(name)}`);
    expect(stderr).toStartWith("Wrote 4,500 messages, 3 partitions, ");
    const copy = `copy-${name.replaceAll(".", "-")}`;
    expect((await run(`import orders ${copy} ${at(name)} --create 3`)).stderr).toMatch(
      new RegExp(`^Sent 4,500 messages to orders/${copy} in \\d+ s\\.\n$`),
    );
    await run(`export orders ${copy} -o ${at(`again-${name}`)}`);
    const unpack = { gz: gunzipSync, zst: zstdDecompressSync, ndjson: (bytes: Buffer) => bytes }[
      name.split(".").pop()!
    ]!;
    const text = withoutTimes(String(unpack(readFileSync(at(name)))));
    expect(withoutTimes(String(unpack(readFileSync(at(`again-${name}`)))))).toBe(text);
    expect(text.split("\n")).toHaveLength(4501);
    expect(text).toContain('"id":"00000000-0000-0000-0000-000000000001"');
    expect(text).toContain('"value":"18446744073709551615"');
  });

  test("a raw file has one partition, and the same bytes", async () => {
    const { exitCode, stderr } = await whippet.line(`export orders created --format raw -o ${at("no.bin")}`);
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining("choose one with -p")]);
    await run(`export orders created -p 1 -o ${at("1.log")}`);
    await run(`import orders raw ${at("1.log")} --create 1`);
    const { stdout } = await run("export orders raw");
    expect(stdout.split("\n")).toHaveLength(1501);
    expect(stdout).toContain('"payload":"1-1499"');
  });

  test("a range ends where it is told to", async () => {
    const offsets = async (options: string) =>
      (await run(`export orders created ${options}`)).stdout
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => (JSON.parse(line) as { offset: number }).offset);
    expect(await offsets("-p 0 --from 3 --to 5")).toEqual([3, 4, 5]);
    expect(await offsets("-p 0 --from last:2")).toEqual([1498, 1499]);
    expect(await offsets("-p 0 --from new")).toEqual([]);
    expect(await offsets("--from @2020-01-01 --to @2020-01-02")).toEqual([]);
    expect(await offsets("-p 0,2 --from last:1")).toEqual([1499, 1499]);
    expect(await offsets("-p 0 --from -1h --to 0")).toEqual([0]);
  });

  test.each([
    "part.ndjson",
    "part.ndjson.zst",
  ])("--resume goes on behind what %s has, and --resume of import behind what the topic has", async (name) => {
    const path = at(name);
    await run(`export orders created --to 700 -o ${path}`);
    const again = await whippet.line(`export orders created -o ${path}`);
    expect([again.exitCode, again.stderr]).toEqual([1, expect.stringContaining("--resume")]);
    // What a killed export leaves at the end.
    if (name.endsWith("ndjson")) appendFileSync(path, '{"partition":2,"off');
    const topic = `resumed-${name.replaceAll(".", "-")}`;
    if (!name.endsWith("ndjson")) await run(`import orders ${topic} ${path} --create 3`);
    expect((await run(`export orders created --resume -o ${path}`)).stderr).toStartWith("Wrote 2,397 messages");
    if (name.endsWith("ndjson")) {
      await run(`topic create orders ${topic} 3 none`);
      writeFileSync(at("first.ndjson"), `${readFileSync(path, "utf8").split("\n").slice(0, 2100).join("\n")}\n`);
      await run(`import orders ${topic} ${at("first.ndjson")}`);
    }
    expect((await run(`import orders ${topic} ${path} --resume`)).stderr).toMatch(
      /^Sent \S+ messages .* were there\.\n$/,
    );
    const sorted = (text: string) => withoutTimes(text).split("\n").toSorted();
    expect(sorted((await run(`export orders ${topic}`)).stdout)).toEqual(
      sorted((await run("export orders created")).stdout),
    );
  });

  test("import names the first line that is wrong, and tells what went before", async () => {
    await run("topic create orders wrong 1 none");
    writeFileSync(at("wrong.ndjson"), '{"payload":"a"}\n{"payload":"b"}\n{"payload":7}\n');
    const { exitCode, stderr } = await whippet.line(`import orders wrong ${at("wrong.ndjson")}`);
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining("wrong.ndjson, line 3: one of payload")]);
    const tried = await run(`import orders wrong - --dry-run`, {
      stdin: '{"payload":"a"}\n\n{"payload_base64":"//8="}',
    });
    expect(tried.stderr).toContain("- has 2 messages to send (3 B); nothing was sent");
    expect((await run("export orders wrong")).stdout).toBe("");
    const missing = await whippet.line(`import orders wrong ${at("nothing")}`);
    expect([missing.exitCode, missing.stderr]).toEqual([5, expect.stringContaining("there is no file")]);
  });

  test("import goes where it is told: by a header's value, to one partition, in turn", async () => {
    const topic = async (where: string) => {
      const name = `to-${where.replaceAll(/\W/g, "-")}`;
      await run(`import orders ${name} ${at("all.ndjson")} --create 3 --partition ${where} --rate 100MB`);
      const details = await (await broker.client()).getTopic("orders", name);
      return details!.partitions.map(({ messagesCount }) => Number(messagesCount));
    };
    expect(await topic("2")).toEqual([0, 0, 4500]);
    const byKey = await topic("key:source");
    expect(byKey.filter((count) => count > 0).length).toBeLessThanOrEqual(2);
    expect(byKey.reduce((sum, count) => sum + count, 0)).toBe(4500);
    expect((await topic("balanced")).every((count) => count > 0)).toBe(true);
  });

  test("--resume refuses a file that does not have what the topic ends with", async () => {
    const { exitCode, stderr } = await whippet.line(`import orders wrong ${at("all.ndjson")} --resume --dry-run`);
    expect([exitCode, stderr]).toEqual([0, expect.stringContaining("4,500 messages to send")]); // the topic is empty
    await send("wrong", 0, "another");
    await (await broker.client()).sendMessages({
      stream: "orders",
      topic: "wrong",
      messages: [{ payload: new Uint8Array(1), id: 77_777n }],
    });
    const refused = await whippet.line(`import orders wrong ${at("all.ndjson")} --resume`);
    expect([refused.exitCode, refused.stderr]).toEqual([1, expect.stringContaining("does not have")]);
  });
});

describe("tail", () => {
  beforeAll(async () => {
    await run("topic create orders watched 2 none");
    await send("watched", 0, '{"customer":{"id":12345678901234567890}}', "A-11", "B-2");
    await send("watched", 1, "A-19");
  });

  test("shows the last ten, or from a position, and ends where it is told to", async () => {
    const { stdout } = await run("tail orders watched --no-follow");
    expect(stdout.replace(/^\S+/gm, "TIME").split("\n")).toEqual([
      'TIME 0:0       source=cli big=18446744073709551615 {"customer":{"id":12345678901234567890}}',
      "TIME 0:1       source=web big=18446744073709551615 A-11",
      "TIME 0:2       source=cli big=18446744073709551615 B-2",
      "TIME 1:0       source=cli big=18446744073709551615 A-19",
      "",
    ]);
    for (const line of ["tail orders watched --from last:1 --no-follow", "tail orders watched -n 1"]) {
      const { stdout: newest } = await run(line);
      expect([newest.split("\n").length, newest]).toEqual([2, expect.stringContaining("A-19")]);
    }
    expect((await run("tail orders watched --from 1 -p 0 -n 1 --format ndjson")).stdout).toContain('"payload":"A-11"');
  });

  test("shows what all filters let through, and tells how much it read", async () => {
    const shown = async (filters: string) => {
      const { stdout, stderr } = await run(`tail orders watched --no-follow --payload text ${filters}`);
      return [stdout.split("\n").length - 1, stderr];
    };
    expect(await shown("--grep 'A-1[0-9]'")).toEqual([2, "2 shown of 4 read\n"]);
    expect(await shown("--grep A- --header source=web")).toEqual([1, "1 shown of 4 read\n"]);
    expect(await shown("--header nothing")).toEqual([0, "0 shown of 4 read\n"]);
    expect(await shown("--field customer.id=12345678901234567890")).toEqual([1, "1 shown of 4 read\n"]);
    const { exitCode, stderr } = await whippet.line("tail orders watched --grep (");
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining("is no regular expression")]);
  });

  test("follows a topic, and a stream with all its topics, until it is interrupted", async () => {
    for (const [line, seen] of [
      ["tail orders watched --from new", /0:3 .*later/],
      ["tail orders --from new", /watched:0:4 .*later/],
    ] as const) {
      const end = new AbortController();
      let text = "";
      const running = whippet.line(line, {
        signal: end.signal,
        onWrite: (part) => {
          text += part;
          if (seen.test(text)) end.abort();
        },
      });
      await Bun.sleep(300);
      await send("watched", 0, "later");
      expect((await running).exitCode).toBe(130);
      expect(text).toMatch(seen);
    }
  });

  test("says what is not there", async () => {
    const { exitCode, stderr } = await whippet.line("tail orders wached --no-follow");
    expect([exitCode, stderr]).toEqual([5, expect.stringContaining('Is it "watched"?')]);
    expect((await whippet.line("tail orders watched -p 7 --no-follow")).exitCode).toBe(5);
    for (const [line, sentence] of [
      ["tail ordrs --no-follow", 'no stream "ordrs". Is it "orders"?  (error 1009)'],
      ["export orders wached", 'no topic "wached" in stream "orders". Is it "watched"?  (error 2010)'],
    ] as const) {
      expect(await whippet.line(line)).toEqual({ exitCode: 5, stdout: "", stderr: `whippet: ${sentence}\n` });
    }
  });

  test("says what is not there, or not to be seen, to who may not look for it", async () => {
    await run("user create guest secret");
    for (const line of ["tail nowhere", "export nowhere created", "message send nowhere created x"]) {
      const { exitCode, stderr } = await whippet.line(`-u guest -p secret ${line}`);
      expect([line, exitCode, stderr]).toEqual([
        line,
        5,
        expect.stringContaining("not there, or guest may not see it"),
      ]);
    }
  });

  test.each([
    [`export orders watched -o`],
    [`message poll --first orders watched 0 --output-file`],
  ])("%s FILE names the file that cannot be made", async (line) => {
    const path = at("no-directory/file.ndjson");
    expect(await whippet.line(`${line} ${path}`)).toEqual({
      exitCode: 1,
      stdout: "",
      stderr: `whippet: ${path} cannot be written: its directory is not there\n`,
    });
  });
});
