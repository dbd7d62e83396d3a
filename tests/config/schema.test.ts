import { expect, test } from "bun:test";
import { formatListenAddress, isIpAddress, parseListenAddress } from "../../src/config/address.ts";
import { configurationNames, parseDotEnv } from "../../src/config/environment.ts";
import { bool, duration, size } from "../../src/config/schema/fields.ts";
import { schema } from "../../src/config/schema/index.ts";
import { environmentName, section, tomlName } from "../../src/config/schema/node.ts";

test("properties are camelCase with their unit, TOML names snake_case without it", () => {
  expect(tomlName("socketMigration", bool({ default: true, doc: "" }))).toBe("socket_migration");
  expect(tomlName("keepAliveIntervalMicros", duration({ default: "5s", doc: "" }))).toBe("keep_alive_interval");
  expect(tomlName("sizeBytes", size({ default: "1 B", doc: "" }))).toBe("size");
  expect(() => section({ interval: duration({ default: "5s", doc: "" }) })).toThrow("must end in Micros");
});

test("environment names are the paths in upper case, unique over the whole schema", () => {
  expect(environmentName("system.segment.cache_indexes")).toBe("IGGY_SYSTEM_SEGMENT_CACHE_INDEXES");
  const names = configurationNames(schema.shape);
  expect(names).toContain("IGGY_TCP_SOCKET_MIGRATION");
  expect(names).toContain("IGGY_CLUSTER_NODE_OTHERS_9_PORTS_TCP");
  expect(names).not.toContain("IGGY_CLUSTER_NODE_OTHERS_10_NAME");
  const plain = [...names].filter((name) => !/_\d_/.test(name));
  // 9 lists of 10 indices of 6 + 4 keys apart, each key of the schema has its own name.
  expect(new Set(plain).size).toBe(plain.length);
  expect(names.size - plain.length).toBe(10 * (6 + 4));
});

test("a default that breaks its own bound cannot be written down", () => {
  expect(() => size({ default: "1 KB", min: "2 KB", doc: "" })).toThrow("at least 2 KB");
});

test.each([
  ["127.0.0.1:8090", "127.0.0.1", 8090, true],
  ["[::1]:0", "::1", 0, true],
  ["localhost:80", "localhost", 80, false],
])("%s is an address", (text, host, port, isIp) => {
  const address = parseListenAddress(text);
  expect(address).toEqual({ host, port });
  expect(address !== undefined && isIpAddress(address)).toBe(isIp);
  expect(address === undefined ? "" : formatListenAddress(address)).toBe(text);
});

test.each(["", "127.0.0.1", ":80", "::1:80", "[x]:1", "a:65536", "a:b", "a b:1"])("%j is no address", (text) =>
  expect(parseListenAddress(text)).toBeUndefined());

test(".env text: quotes, comments, export, escapes", () => {
  const text = `A=1\n export B = two words # c\nC="x # y\\n" # z\nD='$A\\n'\n#E=5\nnot a line\nF=\nG=a#b`;
  expect(parseDotEnv(text)).toEqual({ A: "1", B: "two words", C: "x # y\n", D: "$A\\n", F: "", G: "a#b" });
});
