import { describe, expect, test } from "bun:test";
import { helpText, parseOptions, UsageError } from "../../src/bench/options.ts";

describe("the command line", () => {
  test("without options is one producer with the original's defaults", () => {
    expect(parseOptions([])).toEqual({
      kind: "producer",
      host: "127.0.0.1",
      port: 8090,
      username: "iggy",
      password: "iggy",
      actors: 1,
      messagesPerBatch: 1000,
      messageSizeBytes: 1000,
      batches: 1000,
      seconds: undefined,
      warmupSeconds: 0,
      pipelineDepth: 1,
      json: false,
      keep: false,
    });
  });

  test("with seconds has no batch limit unless one is given", () => {
    expect(parseOptions(["--seconds", "2.5"])).toMatchObject({ seconds: 2.5, batches: undefined });
    expect(parseOptions(["--seconds", "2", "--batches", "7"])).toMatchObject({ seconds: 2, batches: 7 });
  });

  test("single sends one message a request", () => {
    expect(parseOptions(["--kind", "single"])).toMatchObject({ messagesPerBatch: 1, batches: 20_000 });
    expect(() => parseOptions(["--kind", "single", "--messages-per-batch", "5"])).toThrow(UsageError);
  });

  test("takes IPv6 addresses in brackets", () => {
    expect(parseOptions(["--server", "[::1]:9000"])).toMatchObject({ host: "::1", port: 9000 });
  });

  for (const args of [
    ["--kind", "sideways"],
    ["--server", "localhost"],
    ["--server", "localhost:0"],
    ["--actors", "0"],
    ["--batches", "1.5"],
    ["--batches", ""],
    ["--seconds", "0"],
    ["--seconds", "soon"],
    ["--no-such-option"],
    ["positional"],
    ["--messages-per-batch", "1000000", "--message-size", "1000000"],
  ]) {
    test(`refuses ${args.join(" ")}`, () => {
      expect(() => parseOptions(args)).toThrow(UsageError);
    });
  }

  test("help names every option", () => {
    expect(parseOptions(["--help"])).toBe("help");
    for (const option of ["kind", "server", "actors", "messages-per-batch", "message-size", "batches", "seconds"]) {
      expect(helpText).toContain(`--${option}`);
    }
    for (const option of ["warmup", "username", "password", "pipeline", "json", "keep"]) {
      expect(helpText).toContain(`--${option}`);
    }
  });
});
