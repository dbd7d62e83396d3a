import { describe, expect, test } from "bun:test";
import { helpText, parseOptions, UsageError } from "../../src/bench/options.ts";

describe("the command line", () => {
  test("without options is one producer with the original's defaults", () => {
    expect(parseOptions([])).toEqual({
      kind: "pinned-producer",
      transport: "tcp",
      host: "127.0.0.1",
      port: 8090,
      caFile: undefined,
      serverName: undefined,
      insecure: false,
      username: "iggy",
      password: "iggy",
      actors: 1,
      messagesPerBatch: 1000,
      messageSizeBytes: 1000,
      batches: 1000,
      seconds: undefined,
      warmupSeconds: 0,
      pipelineDepth: 1,
      bytesPerSecond: undefined,
      partitionsCount: 4,
      separate: false,
      json: false,
      output: undefined,
      labels: {},
      keep: false,
    });
  });

  test("with seconds has no batch limit unless one is given", () => {
    expect(parseOptions(["--seconds", "2.5"])).toMatchObject({ seconds: 2.5, batches: undefined });
    expect(parseOptions(["--seconds", "2", "--batches", "7"])).toMatchObject({ seconds: 2, batches: 7 });
  });

  test("kinds have their long names and some a short one", () => {
    for (const kind of ["balanced-producer", "balanced-consumer-group", "end-to-end", "single-poll"] as const) {
      expect(parseOptions(["--kind", kind])).toMatchObject({ kind });
    }
    expect(parseOptions(["--kind", "both"])).toMatchObject({ kind: "pinned-producer-and-consumer" });
    expect(parseOptions(["--kind", "single"])).toMatchObject({ kind: "single-send" });
    expect(() => parseOptions(["--kind", "toString"])).toThrow(UsageError);
  });

  test("a rate is a size a second, and only producers have one", () => {
    expect(parseOptions(["-r", "50MB"])).toMatchObject({ bytesPerSecond: 50_000_000 });
    expect(parseOptions(["--rate-limit", "1.5 KiB"])).toMatchObject({ bytesPerSecond: 1536 });
    for (const rate of ["0", "fast", "5 miles", "-1"]) {
      expect(() => parseOptions([`--rate-limit=${rate}`])).toThrow(UsageError);
    }
    expect(() => parseOptions(["-r", "1MB", "--kind", "consumer"])).toThrow(/^--rate-limit is for producers/);
  });

  test("each transport has its default port", () => {
    const portOf = (transport: string) => parseOptions(["--transport", transport]);
    expect(portOf("tls")).toMatchObject({ transport: "tls", port: 8090 });
    expect(portOf("wss")).toMatchObject({ transport: "wss", port: 8092 });
    expect(portOf("quic")).toMatchObject({ transport: "quic", port: 8080 });
    expect(portOf("https")).toMatchObject({ transport: "https", port: 3000 });
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
    ["--transport", "pigeon"],
    ["--ca", "cert.pem"],
    ["--transport", "http", "--insecure"],
    ["--transport", "quic", "--insecure"],
    ["--transport", "quic", "--pipeline", "2"],
    ["--transport", "http", "--kind", "balanced-consumer-group"],
    ["--separate"],
    ["--kind", "end-to-end", "--pipeline", "2"],
    ["--kind", "single-poll", "--messages-per-batch", "2"],
    ["--partitions", "0"],
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
    for (const option of ["transport", "ca", "server-name", "insecure", "partitions", "separate"]) {
      expect(helpText).toContain(`--${option}`);
    }
    for (const option of ["warmup", "username", "password", "pipeline", "json", "keep"]) {
      expect(helpText).toContain(`--${option}`);
    }
  });
});
