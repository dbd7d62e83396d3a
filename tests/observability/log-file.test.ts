import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLogger } from "../../src/observability/log.ts";
import { cleanUpLogs } from "../../src/observability/log-cleanup.ts";
import { createLogFileState, LogFile } from "../../src/observability/log-file.ts";
import { logDirectory, rotatedFilesMax, rotatedLogNumbers } from "../../src/observability/log-names.ts";
import { createLogOutput } from "../../src/observability/log-output.ts";

let directory = "";
let nowMs = 0;
let errors: string[] = [];

beforeEach(() => {
  directory = join(mkdtempSync(join(tmpdir(), "whippet-log-")), "logs");
  nowMs = Date.now();
  errors = [];
});
afterEach(() => rmSync(join(directory, ".."), { recursive: true, force: true }));

function openLog(fileBytesMax: number, options: { shared?: SharedArrayBuffer; kept?: number } = {}): LogFile {
  return new LogFile(
    { directory, fileBytesMax, rotatedFilesMax: options.kept ?? 10, shared: options.shared ?? createLogFileState() },
    { nowMs: () => nowMs, reportError: (line) => errors.push(line) },
  );
}

function files(): Record<string, string> {
  const names = readdirSync(directory).sort();
  return Object.fromEntries(names.map((name) => [name, readFileSync(join(directory, name), "utf8")]));
}

describe("log file", () => {
  test("lines are there as soon as they are appended, in a directory that is made", () => {
    const log = openLog(1000);
    log.append("one");
    log.append("zwei ü");
    expect(files()).toEqual({ "iggy-server.log": "one\nzwei ü\n" });
    expect(errors).toEqual([]);
  });

  test("it names users and addresses: only the broker's user reads it", () => {
    const log = openLog(10);
    for (const line of ["aaaaaaaa", "bbbbbbbb"]) log.append(line);
    const modes = readdirSync(directory).map((name) => statSync(join(directory, name)).mode & 0o777);
    expect(modes).toEqual([0o600, 0o600]);
    expect(statSync(directory).mode & 0o777).toBe(0o700);
  });

  test("it is rotated before it would grow beyond its size; 1 is the newest of the older ones", () => {
    const log = openLog(10);
    for (const line of ["aaaa", "bbbb", "cccc", "dddd", "eeee"]) log.append(line);
    expect(files()).toEqual({
      "iggy-server.log": "eeee\n",
      "iggy-server.log.1": "cccc\ndddd\n",
      "iggy-server.log.2": "aaaa\nbbbb\n",
    });
  });

  test("a line larger than a file has a file of its own", () => {
    const log = openLog(4);
    for (const line of ["long line", "x", "other long line"]) log.append(line);
    expect(Object.values(files())).toEqual(["other long line\n", "x\n", "long line\n"]);
  });

  test("only as many rotated files are kept as allowed", () => {
    const log = openLog(2, { kept: 2 });
    for (const line of "abcde") log.append(line);
    expect(files()).toEqual({ "iggy-server.log": "e\n", "iggy-server.log.1": "d\n", "iggy-server.log.2": "c\n" });
  });

  test("a hole in the numbers ends the moving up", () => {
    mkdirSync(directory, { recursive: true });
    for (const number of [1, 3]) writeFileSync(join(directory, `iggy-server.log.${number}`), `old ${number}`);
    const log = openLog(2);
    log.append("a");
    log.append("b");
    expect(files()).toEqual({
      "iggy-server.log": "b\n",
      "iggy-server.log.1": "a\n",
      "iggy-server.log.2": "old 1",
      "iggy-server.log.3": "old 3",
    });
  });

  test("it is rotated at the turn of the hour, but not while it is empty", () => {
    const log = openLog(1000);
    log.append("before");
    nowMs += 3_600_000;
    log.append("after");
    log.append("after, too");
    expect(files()).toEqual({ "iggy-server.log": "after\nafter, too\n", "iggy-server.log.1": "before\n" });
  });

  test("size 0 never rotates", () => {
    const log = openLog(0);
    log.append("before");
    nowMs += 7_200_000;
    log.append("after");
    expect(files()).toEqual({ "iggy-server.log": "before\nafter\n" });
  });

  test("the next process goes on in the same file, or begins another when the hour is over", () => {
    openLog(1000).append("first");
    openLog(1000).append("second");
    expect(files()).toEqual({ "iggy-server.log": "first\nsecond\n" });
    const hoursAgo = new Date(nowMs - 3 * 3_600_000);
    utimesSync(join(directory, "iggy-server.log"), hoursAgo, hoursAgo);
    openLog(1000).append("third");
    expect(files()).toEqual({ "iggy-server.log": "third\n", "iggy-server.log.1": "first\nsecond\n" });
  });

  test("the size that an earlier process left counts", () => {
    openLog(10).append("12345678");
    openLog(10).append("x");
    expect(files()).toEqual({ "iggy-server.log": "x\n", "iggy-server.log.1": "12345678\n" });
  });

  test("threads that share the state see each other's rotations", () => {
    const shared = createLogFileState();
    const [a, b] = [openLog(6, { shared }), openLog(6, { shared })];
    for (let number = 0; number < 6; number++) (number % 2 === 0 ? a : b).append(`${number}.`);
    expect(files()).toEqual({
      "iggy-server.log": "4.\n5.\n",
      "iggy-server.log.1": "2.\n3.\n",
      "iggy-server.log.2": "0.\n1.\n",
    });
  });

  test("workers that write and rotate at once lose and mix no line", async () => {
    const linesCount = 400;
    const shared = createLogFileState();
    const source = `
      import { LogFile } from ${JSON.stringify(join(import.meta.dir, "../../src/observability/log-file.ts"))};
      self.onmessage = ({ data: { settings, name, linesCount } }) => {
        const log = new LogFile(settings);
        for (let number = 0; number < linesCount; number++) log.append(name + " " + number + " " + "x".repeat(50));
        self.postMessage("done");
      };`;
    const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
    const settings = { directory, fileBytesMax: 4000, rotatedFilesMax: 1000, shared };
    await Promise.all(
      ["a", "b", "c"].map(
        (name) =>
          new Promise<void>((resolve, reject) => {
            const worker = new Worker(url);
            worker.onerror = (event) => reject(new Error(event.message));
            worker.onmessage = () => {
              worker.terminate();
              resolve();
            };
            worker.postMessage({ settings, name, linesCount });
          }),
      ),
    );
    const lines = Object.values(files()).flatMap((text) => text.trimEnd().split("\n"));
    const want = ["a", "b", "c"].flatMap((name) =>
      Array.from({ length: linesCount }, (_, number) => `${name} ${number} ${"x".repeat(50)}`),
    );
    expect(lines.sort()).toEqual(want.sort());
    // Some 16 if nobody wrote while another thread rotates.
    expect(rotatedLogNumbers(directory).length).toBeGreaterThan(2);
  });

  test("an error is reported once, never thrown, and the log goes on when it can", () => {
    writeFileSync(directory, "a file where the directory should be");
    const log = openLog(1000);
    log.append("lost");
    log.append("lost, too");
    expect(errors).toHaveLength(1);
    expect(errors[0]).toContain("cannot be written");
    rmSync(directory);
    log.append("kept");
    expect(files()).toEqual({ "iggy-server.log": "kept\n" });
    log.close();
    rmSync(directory, { recursive: true });
    writeFileSync(directory, "again");
    log.append("lost");
    expect(errors).toHaveLength(2);
  });

  test("a rotation that fails loses no line", () => {
    const log = openLog(6);
    log.append("aaaa");
    mkdirSync(join(directory, "iggy-server.log.1", "not empty"), { recursive: true });
    mkdirSync(join(directory, "iggy-server.log.2"), { recursive: true });
    writeFileSync(join(directory, "iggy-server.log.3"), "a file; a directory cannot take its name");
    const full = openLog(6, { kept: 3 });
    full.append("bbbb");
    full.append("cccc");
    const text = readFileSync(join(directory, "iggy-server.log"), "utf8");
    expect(errors.join()).toContain("cannot be rotated");
    expect(text).toContain("bbbb\n");
  });
});

describe("names", () => {
  test("the directory is below the data directory, whatever the working directory holds", () => {
    expect(logDirectory("/data", "logs")).toBe("/data/logs");
    expect(existsSync(logDirectory("/data", "src"))).toBe(false);
    expect(logDirectory("/data", "/var/log/whippet")).toBe("/var/log/whippet");
  });

  test.each([
    [0, 100, 100_000],
    [100, 0, 1],
    [1000, 100, 10],
    [50, 100, 1],
    [2 ** 40, 1, 100_000],
  ])("a total of %d in files of %d keeps %d files", (total, size, want) => {
    expect(rotatedFilesMax(total, size)).toBe(want);
  });

  test("only files of this log have a number", () => {
    mkdirSync(directory, { recursive: true });
    for (const name of ["iggy-server.log", "iggy-server.log.1", "iggy-server.log.12", "iggy-server.log.x", "other.1"]) {
      writeFileSync(join(directory, name), "");
    }
    expect(rotatedLogNumbers(directory)).toEqual([1, 12]);
    expect(rotatedLogNumbers(join(directory, "missing"))).toEqual([]);
  });
});

describe("clean-up", () => {
  /** Sizes and ages of the rotated files 1, 2, …; the active file is old and large. */
  function make(...rotated: readonly { sizeBytes: number; ageMs: number }[]): void {
    mkdirSync(directory, { recursive: true });
    for (const [index, { sizeBytes, ageMs }] of [{ sizeBytes: 10_000, ageMs: 1_000_000 }, ...rotated].entries()) {
      const path = join(directory, index === 0 ? "iggy-server.log" : `iggy-server.log.${index}`);
      writeFileSync(path, "x".repeat(sizeBytes));
      const changedAt = new Date(nowMs - ageMs);
      utimesSync(path, changedAt, changedAt);
    }
  }

  test("what is older than the retention goes", () => {
    make({ sizeBytes: 1, ageMs: 10_000 }, { sizeBytes: 1, ageMs: 50_000 }, { sizeBytes: 1, ageMs: 90_000 });
    cleanUpLogs(directory, { retentionMs: 60_000, totalBytesMax: 0 }, nowMs);
    expect(Object.keys(files())).toEqual(["iggy-server.log", "iggy-server.log.1", "iggy-server.log.2"]);
  });

  test("then the oldest, until the total fits", () => {
    make({ sizeBytes: 40, ageMs: 1000 }, { sizeBytes: 40, ageMs: 2000 }, { sizeBytes: 40, ageMs: 3000 });
    const removed = cleanUpLogs(directory, { retentionMs: 60_000, totalBytesMax: 80 }, nowMs);
    expect(removed).toEqual([join(directory, "iggy-server.log.3")]);
    expect(Object.keys(files())).toEqual(["iggy-server.log", "iggy-server.log.1", "iggy-server.log.2"]);
  });

  test("nothing to do is fine, so is a missing directory", () => {
    expect(cleanUpLogs(directory, { retentionMs: 1, totalBytesMax: 1 }, nowMs)).toEqual([]);
  });
});

describe("output", () => {
  function run(isTTY: boolean, format: "text" | "json" = "text") {
    const shown: string[] = [];
    const file = openLog(1000);
    const output = createLogOutput(file, { format, terminal: { isTTY, write: (text: string) => shown.push(text) } });
    createLogger({ filter: "info", ...output, now: () => new Date(0) })
      .child("tcp")
      .warn("slow", { ms: 3 });
    return { shown: shown.join(""), logged: files()["iggy-server.log"] };
  }
  const plain = "1970-01-01T00:00:00.000Z  WARN tcp slow ms=3\n";

  test("a terminal has colours, the file never", () => {
    const { shown, logged } = run(true);
    expect(shown).toContain("\u001b[33m");
    expect(logged).toBe(plain);
  });

  test("without a terminal both are the same", () => expect(run(false)).toEqual({ shown: plain, logged: plain }));

  test("as JSON standard output has it in that form, without colours, and the file as text", () => {
    const json =
      '{"time":"1970-01-01T00:00:00.000Z","level":"warn","target":"tcp","message":"slow","fields":{"ms":3}}\n';
    expect(run(true, "json")).toEqual({ shown: json, logged: plain });
  });

  test("without a file only standard output has it", () => {
    const shown: string[] = [];
    const output = createLogOutput(undefined, { terminal: { write: (text: string) => shown.push(text) } });
    createLogger({ filter: "info", ...output }).info("hello");
    expect(shown).toHaveLength(1);
    expect(existsSync(directory)).toBe(false);
  });

  test("a standard output that fails, at once or later, loses lines only there, and the file says so once each time", () => {
    const listeners: ((error: Error) => void)[] = [];
    const terminal = {
      isFull: false,
      throws: false,
      shown: "",
      write(text: string): boolean {
        if (this.throws) throw new Error("EPIPE: broken pipe");
        if (!this.isFull) this.shown += text;
        if (this.isFull) for (const listener of listeners) listener(new Error("ENOSPC: no space left"));
        return !this.isFull;
      },
      on: (_: "error", listener: (error: Error) => void) => listeners.push(listener),
    };
    const { write } = createLogOutput(openLog(10_000), { terminal });
    const steps = [
      {},
      { isFull: true },
      { isFull: true },
      { isFull: false },
      { throws: true },
      { throws: true },
      { throws: false },
    ];
    for (const [number, step] of steps.entries()) {
      Object.assign(terminal, step);
      write(`line ${number}`);
    }
    expect(terminal.shown).toBe("line 0\nline 3\nline 6\n");
    const logged = files()["iggy-server.log"]!.split("\n");
    expect(logged.filter((line) => line.startsWith("line "))).toEqual(steps.map((_, number) => `line ${number}`));
    expect(logged.filter((line) => line.startsWith("standard output cannot be written"))).toEqual([
      "standard output cannot be written; its lines are lost until it can: ENOSPC: no space left",
      "standard output cannot be written; its lines are lost until it can: EPIPE: broken pipe",
    ]);
  });
});
