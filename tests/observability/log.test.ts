import { describe, expect, test } from "bun:test";
import { createLogger, LOG_LEVELS, LogFilterError } from "../../src/observability/log.ts";

function logTo(filter: string, options: { colour?: boolean } = {}) {
  const lines: string[] = [];
  const now = () => new Date("2026-01-02T03:04:05.678Z");
  return { lines, log: createLogger({ filter, write: (line) => lines.push(line), now, ...options }) };
}

/** Which levels of a target pass. */
function passing(filter: string, ...path: string[]): string {
  const { lines, log } = logTo(filter);
  const target = path.reduce((parent, name) => parent.child(name), log);
  for (const level of LOG_LEVELS) {
    const before = lines.length;
    target[level]("x");
    expect(lines.length > before).toBe(target.isEnabled(level));
  }
  return LOG_LEVELS.filter((level) => target.isEnabled(level)).join(" ");
}

describe("filter", () => {
  test.each([
    ["info", [], "error warn info"],
    ["INFO", ["storage"], "error warn info"],
    ["trace", [], "error warn info debug trace"],
    ["off", [], ""],
    ["none", ["storage"], ""],
    ["warn,storage=debug", [], "error warn"],
    ["warn,storage=debug", ["storage"], "error warn info debug"],
    ["warn,storage=debug", ["storage", "partition"], "error warn info debug"],
    ["warn,storage=debug", ["storage2"], "error warn"],
    ["storage=debug,storage::partition=off", ["storage", "partition"], ""],
    ["storage=debug", ["tcp"], ""],
    ["warn, storage", ["storage"], "error warn info debug trace"],
    ["info,server=error", [], "error"],
    ["debug,warn", [], "error warn"],
  ])("%s lets of %j pass: %s", (filter, path, want) => expect(passing(filter, ...path)).toBe(want));

  test.each(["storage=loud", "a=b=c", "=debug", "two words"])("%s is refused", (filter) =>
    expect(() => createLogger({ filter, write: () => {} })).toThrow(LogFilterError));
});

describe("line", () => {
  test("time, level, target, message, fields", () => {
    const { lines, log } = logTo("info");
    log.child("storage").child("partition").warn("slow sync", { partitionId: 3, durationMs: 12.5, offset: 7n });
    log.info("ready");
    expect(lines).toEqual([
      "2026-01-02T03:04:05.678Z  WARN storage::partition slow sync partitionId=3 durationMs=12.5 offset=7",
      "2026-01-02T03:04:05.678Z  INFO server ready",
    ]);
  });

  test("values that could be misread are quoted, errors show name and message", () => {
    const { lines, log } = logTo("info");
    log.info("m", { a: "two words", b: "", c: 'q"', d: new TypeError("bad"), e: { n: 1n }, f: undefined, g: true });
    expect(lines[0]).toEndWith(
      `m a="two words" b="" c="q\\"" d="TypeError: bad" e="{\\"n\\":\\"1\\"}" f=undefined g=true`,
    );
  });

  test("an error shows its causes", () => {
    const { lines, log } = logTo("info");
    log.error("m", { error: new Error("outer", { cause: new RangeError("inner") }) });
    expect(lines[0]).toEndWith('error="Error: outer, caused by RangeError: inner"');
  });

  test("a value that has no JSON does not throw", () => {
    const { lines, log } = logTo("info");
    const circle: { self?: unknown } = {};
    circle.self = circle;
    log.info("m", { circle });
    expect(lines[0]).toEndWith('m circle="[object Object]"');
  });

  test("data cannot forge a line or drive the terminal", () => {
    const { lines, log } = logTo("info");
    log.info("a\nb\u001b[2J\u009b", { name: "x\n2026 ERROR\u007f" });
    expect(lines).toHaveLength(1);
    expect(lines[0]).not.toMatch(/\p{Cc}/u);
  });

  test.each([
    ["a right-to-left override", "user\u202egnp.exe"],
    ["a zero-width space", "adm\u200bin"],
    ["a line separator", "x\u20282026 ERROR"],
    ["a tag character beyond 16 bits", "x\u{e0041}"],
  ])("%s is shown as an escape", (_what, name) => {
    const { lines, log } = logTo("info");
    log.info(name, { name });
    expect(lines[0]).not.toMatch(/[\p{Cf}\p{Zl}\p{Zp}]/u);
    expect(lines[0]).toContain("\\u");
  });

  test("colours only when asked for", () => {
    const plain = logTo("info");
    plain.log.error("m");
    expect(plain.lines[0]).not.toContain("\u001b");
    const coloured = logTo("info", { colour: true });
    coloured.log.error("m");
    expect(coloured.lines[0]).toContain("\u001b[31mERROR\u001b[0m");
  });
});
