// Lines of the log as a reader of the console gets them: taken apart, newest first, from any place, and as they come.
import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, renameSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { createLogger } from "../../src/observability/log.ts";
import { createLogFileState, LogFile } from "../../src/observability/log-file.ts";
import { parseLogLine } from "../../src/observability/log-line.ts";
import { type LogFilter, LogReader } from "../../src/observability/log-reader.ts";

const made: string[] = [];
afterAll(() => {
  for (const directory of made) rmSync(directory, { recursive: true });
});

const all: LogFilter = { level: "trace", target: "", q: "" };

function makeLog(fileBytesMax = 0) {
  const directory = mkdtempSync(join(tmpdir(), "whippet-log-"));
  made.push(directory);
  const settings = { directory, fileBytesMax, rotatedFilesMax: 10, shared: createLogFileState() };
  const file = new LogFile(settings);
  const log = createLogger({ filter: "trace", write: (line) => file.append(line) });
  return { directory, log, file, reader: new LogReader(settings) };
}

describe("a line", () => {
  test("is taken apart as it was put together", () => {
    const word = fc
      .string({ unit: "grapheme", minLength: 1 })
      .filter((text) => !/["=\\]|\s/.test(text) && !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(text));
    const name = fc.stringMatching(/^[a-z][a-zA-Z]{0,8}$/);
    const value = fc.oneof(word, fc.string(), fc.integer().map(String));
    fc.assert(
      fc.property(
        fc.array(word, { minLength: 1 }),
        fc.dictionary(name, value, { noNullPrototype: true }),
        (words, fields) => {
          let line = "";
          createLogger({ filter: "info", write: (text) => (line = text) })
            .child("shard-0")
            .warn(words.join(" "), fields);
          const parsed = parseLogLine(line);
          const plain = Object.fromEntries(
            Object.entries(fields).filter(([, text]) => !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(text)),
          );
          expect(parsed).toMatchObject({ level: "warn", target: "shard-0", text: words.join(" "), fields: plain });
          expect(Object.keys(parsed.fields)).toEqual(Object.keys(fields));
        },
      ),
    );
  });

  test("of something else is a text without a time", () => {
    expect(parseLogLine("panic: nothing")).toEqual({
      time: null,
      level: null,
      target: "",
      text: "panic: nothing",
      fields: {},
    });
    expect(parseLogLine("x".repeat(100_000)).text.length).toBeLessThan(20_000);
  });
});

describe("the reader", () => {
  test("gives each line of all files once, newest first, however many at a time", async () => {
    const { log, reader } = makeLog(2000);
    for (let number = 0; number < 100; number++) log.info(`line ${number}`, { filler: "x".repeat(number * 3) });
    const expected = Array.from({ length: 100 }, (_, index) => `line ${99 - index}`).slice(0, 40);
    for (const limit of [1, 7, 1000]) {
      const texts: string[] = [];
      let before: string | undefined;
      do {
        const part = await reader.read(before === undefined ? {} : { before }, all, limit);
        texts.push(...part!.lines.map(({ text }) => text));
        before = part!.before;
      } while (before !== undefined && texts.length < 40);
      expect(texts.slice(0, 40)).toEqual(expected);
    }
  });

  test("lines longer than a block are whole, and the lines around them too", async () => {
    const { directory, reader } = makeLog();
    const long = `2026-01-01T00:00:00.000Z  INFO server long ${"y".repeat(600_000)}`;
    const short = (name: string) => `2026-01-01T00:00:00.000Z  INFO server ${name}`;
    writeFileSync(join(directory, "iggy-server.log"), `${short("first")}\n${long}\n${short("last")}\n`);
    const { lines } = (await reader.read({}, all, 10))!;
    expect(lines.map(({ text }) => text.slice(0, 5).trim())).toEqual(["last", "long", "first"]);
  });

  test("a question that finds nothing reads so much and says where to go on", async () => {
    const { directory, reader } = makeLog();
    const line = `2026-01-01T00:00:00.000Z  INFO server ${"z".repeat(1000)}\n`;
    writeFileSync(join(directory, "iggy-server.log"), line.repeat(12_000));
    const filter = { ...all, q: "needle" };
    const first = (await reader.read({}, filter, 10))!;
    expect(first.scannedBytes).toBeGreaterThanOrEqual(8 * 1024 * 1024);
    expect(first.scannedBytes).toBeLessThan(9 * 1024 * 1024);
    const next = (await reader.read({ before: first.before! }, filter, 10))!;
    expect(next.before).toBeUndefined();
    expect(first.scannedBytes + next.scannedBytes).toBeGreaterThanOrEqual(line.length * 12_000);
  });

  test("keeps to level, part of the program and words", async () => {
    const { log, reader } = makeLog();
    log.child("shard-0").child("storage").error("a disk is full", { path: "/data/Orders" });
    log.child("shard-0").warn("something");
    log.child("shard-01").info("else");
    const texts = async (filter: Partial<LogFilter>) =>
      (await reader.read({}, { ...all, ...filter }, 10))!.lines.map(({ text }) => text);
    expect(await texts({})).toEqual(["else", "something", "a disk is full"]);
    expect(await texts({ level: "warn" })).toEqual(["something", "a disk is full"]);
    expect(await texts({ target: "shard-0" })).toEqual(["something", "a disk is full"]);
    expect(await texts({ q: "orders" })).toEqual(["a disk is full"]);
  });

  test("finds a line by its place, also after its file has another name, and says when it is gone", async () => {
    const { directory, log, reader } = makeLog();
    for (const name of ["one", "two", "three"]) log.info(name);
    const [, two] = (await reader.read({}, all, 10))!.lines;
    const at = two!.at;
    const texts = async () => (await reader.read({ at }, all, 10))?.lines.map(({ text }) => text);
    expect(await texts()).toEqual(["two", "one"]);
    renameSync(join(directory, "iggy-server.log"), join(directory, "iggy-server.log.4"));
    expect(await texts()).toEqual(["two", "one"]);
    unlinkSync(join(directory, "iggy-server.log.4"));
    expect(await texts()).toBeUndefined();
    expect(await reader.read({ at: "rubbish" }, all, 10)).toBeUndefined();
  });
});

test("a follower has each new line once, over rotations, and reads only when something was written", async () => {
  const { log, reader } = makeLog(500);
  log.info("before");
  const { end } = (await reader.read({}, all, 10))!;
  const follower = reader.follow({ ...all, q: "new" }, end);
  const texts: string[] = [];
  const look = async () => {
    if (!follower.hasMore) return false;
    const { lines, skippedBytes } = await follower.next();
    expect(skippedBytes).toBe(0);
    texts.push(...lines.map(({ text }) => text));
    return true;
  };
  await look();
  expect(await look()).toBe(false);
  for (let number = 0; number < 30; number++) {
    log.info(`new ${number}`, { filler: "x".repeat(number) });
    log.info("other");
    if (number % 7 === 0) expect(await look()).toBe(true);
  }
  await look();
  expect(await look()).toBe(false);
  expect(texts).toEqual(Array.from({ length: 30 }, (_, number) => `new ${number}`));
});
