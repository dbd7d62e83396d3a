// The command line of the original's `iggy-bench` (spec SB 11.1) as this bench reads it.

import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { parseOptions, UsageError } from "../../src/bench/options.ts";
import { isOriginalLine, optionsOfOriginalLine } from "../../src/bench/original-line.ts";

const read = (line: string) => {
  const args = line.split(" ");
  expect([line, isOriginalLine(args)]).toEqual([line, true]);
  return parseOptions(optionsOfOriginalLine(args));
};

describe("a line of the original", () => {
  test("has the original's defaults", () => {
    const usual = { messagesPerBatch: 1000, messageSizeBytes: 1000, batches: 1000, warmupSeconds: 0, actors: 8 };
    expect(read("pinned-producer tcp")).toMatchObject({
      ...usual,
      kind: "pinned-producer",
      transport: "tcp",
      port: 8090,
    });
    expect(read("bp ws")).toMatchObject({ ...usual, kind: "balanced-producer", partitionsCount: 24, port: 8092 });
    expect(read("pp quic --ca cert.pem")).toMatchObject({ transport: "quic", port: 8080 });
    expect(read("pc http")).toMatchObject({ kind: "pinned-consumer", transport: "http", port: 3000 });
  });

  test("has a long and a short word for each kind", () => {
    const page = readFileSync(new URL("../../docs/protocol/server-behaviour.md", import.meta.url), "utf8");
    const table = page.slice(page.indexOf("| Kind (alias) |"), page.indexOf("| Kind option |"));
    const kinds = [...table.matchAll(/^\| `([a-z-]+)` \((\w+)\) \|/gm)].map(([, long = "", short = ""]) => [
      long,
      short,
    ]);
    expect(kinds.length).toBe(9);
    for (const [long, short] of kinds) {
      const both = [long, short].map((word) => {
        try {
          return read(`${word} tcp`);
        } catch (error) {
          return error instanceof UsageError ? error.message.replace(`${word} is not`, "KIND is not") : error;
        }
      });
      expect(both[0]).toEqual(both[1]!);
      if (short !== "e2ecg") expect(typeof both[0]).toBe(short === "e" ? "string" : "object");
    }
  });

  test("means something else by a letter behind each word", () => {
    const line = "-p secret -T 8MB -m 100 -P 10 -r 5MB -w 2s pp -p 4 -T unlimited tcp output -o results --remark quiet";
    expect(read(line)).toMatchObject({
      password: "secret",
      batches: 2_000,
      messageSizeBytes: 100,
      messagesPerBatch: 10,
      bytesPerSecond: 5_000_000,
      warmupSeconds: 2,
      actors: 4,
      output: "results",
      labels: { remark: "quiet" },
    });
    expect(read("pp tcp output")).toMatchObject({ output: "performance_results" });
    expect(read("-w 500ms ppc -p 2 -c 2 tcp --tls --tls-ca-file=a.pem --tls-domain localhost")).toMatchObject({
      warmupSeconds: 0.5,
      actors: 2,
      transport: "tls",
      caFile: "a.pem",
      serverName: "localhost",
    });
  });

  test("takes the options of this bench, too", () => {
    expect(read("--seconds 3 single-send --actors 2 tcp --json")).toMatchObject({
      kind: "single-send",
      seconds: 3,
      actors: 2,
      json: true,
    });
  });

  test.each([
    ["pp udp", '"udp" is no transport'],
    ["fly tcp", '"fly" is no kind'],
    ["e2ecg tcp", "is not in this bench"],
    ["pp -s 3 -p 4 tcp", "a stream for each actor"],
    ["bp -s 2 tcp", "one stream"],
    ["pp -a 3 tcp", "have one partition"],
    ["bcg -g 2 tcp", "one consumer group"],
    ["ppc -p 2 -c 3 tcp", "as many consumers as producers"],
    ["pp -c 2 tcp", "has no --consumers"],
    ["pp -T 1GB tcp", "have the size unlimited"],
    ["-H pp tcp", "--high-level-api is not in this bench"],
    ["-w soon pp tcp", "takes a duration"],
    ["-b 5 -T 1MB pp tcp", "--total-data and --batches"],
    ["pp http --tls", "--tls is for"],
    ["pp tcp --frob", "--frob is not known here"],
    ["pp -p", "-p needs a value"],
  ])("%s is refused", (line, sentence) => {
    expect(() => read(line)).toThrow(UsageError);
    expect(() => read(line)).toThrow(sentence);
  });

  test("is told from options with values", () => {
    for (const line of ["--kind pinned-producer --actors 2", "--seconds 2", "-r 5MB", "--unknown pp tcp"]) {
      expect([line, isOriginalLine(line.split(" "))]).toEqual([line, false]);
    }
    expect(isOriginalLine([])).toBe(false);
  });
});
