import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { parse } from "toml";
import { dumpToml, formatToml, withBoundAddresses, writeCurrentConfig } from "../../src/config/dump.ts";
import { inDirectory, load } from "./support.ts";

const rich = `
[tcp]
frames = "page"
max_request_size = "81 MiB"
[websocket]
max_frame_size = "123 KB"
[http.jwt]
encoding_secret = "pass\\"word"
decoding_secret = "pass\\"word"
access_token_expiry = "none"
trusted_issuers = []
[system.encryption]
enabled = true
key = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
[system.topic]
max_size = "10 GB"
message_expiry = "1 month 3us"
[system.partition]
enforce_fsync = true
[system.sharding]
cpu_allocation = "numa:nodes=0;cores=2"
[[cluster.node.others]]
name = "b \\\\ \\u0001 ü"
ip = "10.0.0.1"
ports.http = 1
[[cluster.node.others]]
name = "c"
ip = "10.0.0.2"
`;

describe("the dump", () => {
  test.each([
    ["defaults", ""],
    ["many changed keys", rich],
  ])("of %s loads to the same configuration", (_, toml) => {
    const { config } = load({ toml });
    const again = load({ toml: dumpToml(config, { maskSecrets: false }) });
    expect(again.config).toEqual(config);
    expect(again.warnings.filter((line) => !line.endsWith("does nothing here"))).toEqual([]);
  });

  test("masks every secret on request, and nothing else", () => {
    const { config } = load({ toml: rich });
    const masked = dumpToml(config, { maskSecrets: true }).split("\n");
    const clear = dumpToml(config, { maskSecrets: false }).split("\n");
    expect(masked.filter((line, index) => line !== clear[index])).toEqual([
      'encoding_secret = "******"',
      'decoding_secret = "******"',
      'key = "******"',
    ]);
  });

  test("a secret that is empty shows as empty", () => {
    expect(dumpToml(load({}).config, { maskSecrets: true })).toContain('encoding_secret = ""');
  });

  test("any text survives", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (text) => {
        expect(parse(`a = ${formatToml(text)}\nb = ${formatToml([text, ""])}`)).toEqual({ a: text, b: [text, ""] });
      }),
    );
  });
});

describe("current_config.toml", () => {
  const bound = { tcp: "127.0.0.1:41001", http: "127.0.0.1:41002" };

  test("holds the real addresses and no secret, readable by its owner only", () =>
    inDirectory(async (directory) => {
      const toml = `[system]\npath = ${JSON.stringify(join(directory, "data"))}\nruntime.path = "run/time"\n[http.jwt]\nencoding_secret = "s"`;
      const { config } = load({ toml });
      const path = await writeCurrentConfig(config, bound);
      expect(path).toBe(join(directory, "data", "run", "time", "current_config.toml"));
      expect(statSync(path).mode & 0o777).toBe(0o600);
      const written = load({ toml: readFileSync(path, "utf8") }).config;
      const masked = { ...config, http: { ...config.http, jwt: { ...config.http.jwt, encodingSecret: "******" } } };
      expect(written).toEqual(withBoundAddresses(masked, bound));
      expect(written.tcp.address).toBe(bound.tcp);
      expect(written.http.address).toBe(bound.http);
      expect(written.quic.address).toBe("127.0.0.1:8080");
    }));

  test("is replaced as a whole, and nothing else is left behind", () =>
    inDirectory(async (directory) => {
      const { config } = load({ environment: { IGGY_SYSTEM_PATH: directory } });
      const path = await writeCurrentConfig(config, {});
      writeFileSync(`${path}.${process.pid}.tmp`, "left by a crash", { mode: 0o644 });
      await writeCurrentConfig(config, bound);
      expect(readFileSync(path, "utf8")).toContain("127.0.0.1:41001");
      expect(statSync(path).mode & 0o777).toBe(0o600);
      expect(readdirSync(dirname(path))).toEqual(["current_config.toml"]);
    }));

  test("a path that cannot be made is an error", () =>
    inDirectory(async (directory) => {
      writeFileSync(join(directory, "file"), "");
      const { config } = load({ environment: { IGGY_SYSTEM_PATH: join(directory, "file") } });
      await expect(writeCurrentConfig(config, {})).rejects.toThrow();
      expect(existsSync(join(directory, "file", "runtime"))).toBe(false);
    }));
});
