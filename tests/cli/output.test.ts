// What is written: numbers, sizes, times, tables, documents, progress.

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { jsonText, tomlText } from "../../src/cli/output/documents.ts";
import { bar, Progress } from "../../src/cli/output/progress.ts";
import type { Sink } from "../../src/cli/output/sink.ts";
import { stylesOf } from "../../src/cli/output/styles.ts";
import { cut, printable, tableLines } from "../../src/cli/output/table.ts";
import { countText, durationText, expiryText, maxSizeText, numberText, sizeWords } from "../../src/cli/output/words.ts";
import { UsageError } from "../../src/cli/usage-error.ts";
import {
  durationMicros,
  identifier,
  identifierText,
  maxTopicSize,
  messageExpiry,
  sizeBytes,
  u64,
} from "../../src/cli/values.ts";

const u64Max = 2n ** 64n - 1n;

describe("values of the command line", () => {
  test.each([
    ["15days 2min 2s", 15n * 86_400_000_000n + 122_000_000n],
    ["1h30m", 5_400_000_000n],
    ["250ms", 250_000n],
    ["2weeks", 1_209_600_000_000n],
  ])("%s is a time", (given, micros) => {
    expect(durationMicros(given)).toBe(micros);
    expect(messageExpiry(given)).toBe(micros);
  });

  test.each([
    ["15GB", 15_000_000_000n],
    ["1.5 GiB", 1_610_612_736n],
    ["4096", 4096n],
    ["10 MB", 10_000_000n],
  ])("%s is a size", (given, bytes) => {
    expect(sizeBytes(given)).toBe(bytes);
    expect(maxTopicSize(given)).toBe(bytes);
  });

  test("words stand for ever, for any size and for the server's default", () => {
    expect([messageExpiry("unlimited"), messageExpiry("none"), messageExpiry("server_default")]).toEqual([
      u64Max,
      u64Max,
      0n,
    ]);
    expect([maxTopicSize("unlimited"), maxTopicSize("server_default")]).toEqual([u64Max, 0n]);
  });

  test.each([
    [durationMicros, ["", "5", "5 parsecs", "-1s", "99999999999years"]],
    [sizeBytes, ["", "GB", "1XB", "-5", "99999999999GB"]],
    [u64, ["", "-1", "1.5", "18446744073709551616"]],
    [identifier, ["", "4294967296"]],
  ])("%p refuses what is none", (parse, wrong) => {
    for (const given of wrong) expect(() => parse(given)).toThrow(UsageError);
  });

  test("identifiers are written as they are read", () => {
    const anyName = fc.string({ minLength: 1, maxLength: 20 }).filter((name) => !name.startsWith("name:"));
    fc.assert(
      fc.property(anyName, (name) => {
        const id = { kind: "string", value: name } as const;
        expect(identifier(identifierText(id))).toEqual(id);
      }),
    );
    expect(identifier("12")).toEqual({ kind: "numeric", value: 12 });
  });
});

describe("words for people", () => {
  test("numbers have commas, sizes are decimal, times have two units", () => {
    expect([numberText(1_204_331n), numberText(999), numberText(0)]).toEqual(["1,204,331", "999", "0"]);
    expect([0n, 999n, 1_000n, 999_994n, 999_995n, 1_310_000_000n].map(sizeWords)).toEqual([
      "0 B",
      "999 B",
      "1.00 KB",
      "999.99 KB",
      "1.00 MB",
      "1.31 GB",
    ]);
    expect([604_800_000_000n, 5_400_000_000n, 1n, 0n].map(durationText)).toEqual([
      "7 days",
      "1 h 30 min",
      "1 µs",
      "0 s",
    ]);
    expect([expiryText(u64Max), expiryText(0n), maxSizeText(u64Max)]).toEqual([
      "for ever",
      "server default",
      "unlimited",
    ]);
    expect([countText(1, "message"), countText(2n, "message")]).toEqual(["1 message", "2 messages"]);
  });
});

describe("tables", () => {
  const table = {
    columns: [{ head: "ID", isRight: true }, { head: "NAME" }, { head: "TEXT" }],
    rows: [
      ["1", "日本", "a\u001b[31mb\n"],
      ["100", "x", "long enough to be cut"],
    ],
  };

  test("have no boxes, wide characters count twice, and no text acts on the terminal", () => {
    expect(tableLines(table, stylesOf(false), undefined)).toEqual([
      " ID  NAME  TEXT",
      "  1  日本  a\\x1b[31mb\\n",
      "100  x     long enough to be cut",
    ]);
  });

  test("are cut to the terminal and never wider", () => {
    expect(tableLines(table, stylesOf(false), 20)[2]).toBe("100  x     long eno…");
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 60 }), fc.integer({ min: 1, max: 40 }), (text, width) => {
        expect(Bun.stringWidth(cut(printable(text), width))).toBeLessThanOrEqual(width);
      }),
    );
  });

  test("bold is only for who sees it", () => {
    expect(tableLines(table, stylesOf(true), undefined)[0]).toBe("\u001b[1m ID  NAME  TEXT\u001b[22m");
  });
});

describe("documents", () => {
  test("keep all digits of 64 bits", () => {
    expect(jsonText({ offset: u64Max, name: "a" })).toBe('{"offset":18446744073709551615,"name":"a"}');
  });

  test("are TOML that reads back the same", () => {
    const value = {
      name: 'a "b"',
      size: 12n,
      isThere: true,
      list: ["x", 1],
      inner: { "with blank": 1.5 },
      rows: [{ id: 1 }, { id: 2 }],
    };
    expect(Bun.TOML.parse(tomlText(value))).toEqual({ ...value, size: 12 });
    expect(Bun.TOML.parse(tomlText([{ id: 1 }]))).toEqual({ items: [{ id: 1 }] });
  });
});

describe("progress", () => {
  class Recorder implements Sink {
    readonly isTerminal: boolean;
    readonly size: Sink["size"];
    text = "";

    constructor(isTerminal: boolean) {
      this.isTerminal = isTerminal;
      this.size = isTerminal ? { columns: 60, rows: 20 } : undefined;
    }
    async write(data: string | Uint8Array): Promise<void> {
      this.text += String(data);
    }
  }

  function running(stderr: Recorder, isSilent = false) {
    const clock = { nowMs: 0 };
    const facts = () => ({ done: 0.61, texts: ["740,112 messages"] });
    return { clock, progress: new Progress("export", facts, { stderr, nowMs: () => clock.nowMs, isSilent }) };
  }

  test("is drawn on a terminal from half a second on, and taken away at the end", () => {
    const terminal = new Recorder(true);
    const { clock, progress } = running(terminal);
    clock.nowMs = 499;
    progress.tick();
    expect(terminal.text).toBe("");
    clock.nowMs = 500;
    progress.tick();
    expect(terminal.text).toBe(`\r\u001b[Kexport   ${bar(0.61)} 61 %   740,112 messages`);
    progress.end();
    expect(terminal.text).toEndWith("messages\r\u001b[K");
  });

  test("is a line every ten seconds in a pipe, and nothing with -q", () => {
    const pipe = new Recorder(false);
    const { clock, progress } = running(pipe);
    for (clock.nowMs = 0; clock.nowMs <= 25_000; clock.nowMs += 200) progress.tick();
    progress.end();
    expect(pipe.text.split("\n").filter((line) => line !== "")).toEqual(
      Array(2).fill(`export   ${bar(0.61)} 61 %   740,112 messages`),
    );
    const silent = new Recorder(true);
    const quiet = running(silent, true);
    quiet.clock.nowMs = 20_000;
    quiet.progress.tick();
    quiet.progress.end();
    expect(silent.text).toBe("");
  });
});
