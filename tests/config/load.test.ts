import { describe, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { certificatesNeeded } from "../../src/config/certificates.ts";
import { ConfigError, loadConfig } from "../../src/config/load.ts";
import { inDirectory, load, topology, violations } from "./support.ts";

describe("layers", () => {
  test("the file wins over the default, the environment over the file", () => {
    const toml = '[tcp]\naddress = "0.0.0.0:1"\nipv6 = true';
    const { config } = load({ toml, environment: { IGGY_TCP_ADDRESS: "0.0.0.0:2" } });
    expect(config.tcp.address).toBe("0.0.0.0:2");
    expect(config.tcp.ipv6).toBe(true);
    expect(config.tcp.enabled).toBe(true);
  });

  test("an empty environment value is as if unset", () => {
    const { config } = load({ toml: "[tcp]\nenabled = false", environment: { IGGY_TCP_ENABLED: "" } });
    expect(config.tcp.enabled).toBe(false);
  });

  test("an array is replaced as a whole", () => {
    const { config } = load({ toml: '[http.cors]\nallowed_origins = ["https://a", "https://b"]' });
    expect(config.http.cors.allowedOrigins).toEqual(["https://a", "https://b"]);
    expect(config.http.cors.allowedHeaders).toEqual(["content-type", "authorization"]);
  });

  test("an empty list of tables removes the sample entries", () => {
    const { config } = load({ toml: "[cluster.node]\nothers = []" });
    expect(config.cluster.node.others).toEqual([]);
  });
});

describe("environment values", () => {
  const cases: [
    name: string,
    value: string,
    read: (config: ReturnType<typeof load>["config"]) => unknown,
    want: unknown,
  ][] = [
    ["IGGY_HTTP_CORS_ALLOWED_METHODS", "[GET, POST]", (c) => c.http.cors.allowedMethods, ["GET", "POST"]],
    ["IGGY_HTTP_CORS_ALLOWED_METHODS", `["GET",'PUT']`, (c) => c.http.cors.allowedMethods, ["GET", "PUT"]],
    ["IGGY_HTTP_CORS_ALLOWED_ORIGINS", "[]", (c) => c.http.cors.allowedOrigins, []],
    ["IGGY_SYSTEM_SEGMENT_CACHE_INDEXES", "true", (c) => c.system.segment.cacheIndexes, "all"],
    ["IGGY_SYSTEM_SEGMENT_CACHE_INDEXES", "FALSE", (c) => c.system.segment.cacheIndexes, "none"],
    ["IGGY_SYSTEM_SEGMENT_CACHE_INDEXES", "Open_Segment", (c) => c.system.segment.cacheIndexes, "open_segment"],
    ["IGGY_SYSTEM_SEGMENT_SIZE", "1024", (c) => c.system.segment.sizeBytes, 1024],
    ["IGGY_SYSTEM_SHARDING_CPU_ALLOCATION", "2", (c) => c.system.sharding.cpuAllocation, { kind: "count", count: 2 }],
    ["IGGY_TCP_TLS_ENABLED", "TRUE", (c) => c.tcp.tls.enabled, true],
    ["IGGY_HTTP_JWT_ENCODING_SECRET", "12345", (c) => c.http.jwt.encodingSecret, "12345"],
    ["IGGY_HEARTBEAT_INTERVAL", "250ms", (c) => c.heartbeat.intervalMicros, 250_000],
    ["IGGY_QUIC_MAX_IDLE_TIMEOUT", "0", (c) => c.quic.maxIdleTimeoutMicros, 0],
    ["IGGY_WEBSOCKET_MAX_FRAME_SIZE", "1 MiB", (c) => c.websocket.maxFrameSizeBytes, 1_048_576],
  ];
  test.each(cases)("%s=%s", (name, value, read, want) => {
    expect(read(load({ environment: { [name]: value } }).config)).toEqual(want);
  });

  test("indexed variables make a list of tables that replaces the one below", () => {
    const environment = {
      IGGY_CLUSTER_NODE_OTHERS_0_NAME: "b",
      IGGY_CLUSTER_NODE_OTHERS_0_IP: "10.0.0.2",
      IGGY_CLUSTER_NODE_OTHERS_0_PORTS_TCP: "9000",
      IGGY_CLUSTER_NODE_OTHERS_1_NAME: "c",
      IGGY_CLUSTER_NODE_OTHERS_1_IP: "10.0.0.3",
    };
    const none = { tcp: undefined, quic: undefined, http: undefined, websocket: undefined };
    expect(load({ environment }).config.cluster.node.others).toEqual([
      { name: "b", ip: "10.0.0.2", ports: { ...none, tcp: 9000 } },
      { name: "c", ip: "10.0.0.3", ports: none },
    ]);
  });

  test("a gap in the indices fails, naming what is missing", () => {
    const prefix = "IGGY_HTTP_JWT_TRUSTED_ISSUERS_1_";
    const environment = { [`${prefix}ISSUER`]: "i", [`${prefix}JWKS_URL`]: "u", [`${prefix}AUDIENCE`]: "a" };
    expect(violations({ environment })).toEqual([
      "http.jwt.trusted_issuers[0].issuer: must be given",
      "http.jwt.trusted_issuers[0].jwks_url: must be given",
      "http.jwt.trusted_issuers[0].audience: must be given",
    ]);
  });

  test("index 10 is not recognised", () => {
    const { config, warnings } = load({ environment: { IGGY_CLUSTER_NODE_OTHERS_10_NAME: "x" } });
    expect(config.cluster.node.others.map((node) => node.name)).toEqual(["iggy-node-2"]);
    expect(warnings[0]).toStartWith("unknown environment variable IGGY_CLUSTER_NODE_OTHERS_10_NAME");
  });
});

describe("finding files", () => {
  const at = (workingDirectory: string, environment: Record<string, string> = {}) =>
    loadConfig({ environment, workingDirectory, topology });

  test("config.toml is searched upward, the nearest wins", () =>
    inDirectory((directory) => {
      const deep = join(directory, "a", "b");
      mkdirSync(deep, { recursive: true });
      writeFileSync(join(directory, "config.toml"), "[tcp]\nenabled = false");
      expect(at(deep)).toMatchObject({
        sourcePath: join(directory, "config.toml"),
        config: { tcp: { enabled: false } },
      });
      writeFileSync(join(directory, "a", "config.toml"), "");
      expect(at(deep)).toMatchObject({
        sourcePath: join(directory, "a", "config.toml"),
        config: { tcp: { enabled: true } },
      });
    }));

  test("a relative IGGY_CONFIG_PATH is searched upward too; an absolute one is taken as it is", () =>
    inDirectory((directory) => {
      mkdirSync(join(directory, "a"));
      const path = join(directory, "other.toml");
      writeFileSync(path, "[quic]\nenabled = false");
      expect(at(join(directory, "a"), { IGGY_CONFIG_PATH: "other.toml" }).sourcePath).toBe(path);
      expect(at("/", { IGGY_CONFIG_PATH: path }).config.quic.enabled).toBe(false);
    }));

  test("a missing file is a warning and the defaults; one that is named stops the start", () =>
    inDirectory((directory) => {
      const loaded = at(directory, {});
      expect(loaded.sourcePath).toBeUndefined();
      expect(loaded.warnings).toEqual(["configuration file config.toml not found; the defaults are used"]);
      expect(() => at(directory, { IGGY_CONFIG_PATH: "absent.toml" })).toThrow(
        'IGGY_CONFIG_PATH = "absent.toml": the file does not exist',
      );
    }));

  test("certificate files that somebody named must be there; the broker's own pair stands in for the defaults only", () => {
    const named = {
      IGGY_HTTP_TLS_ENABLED: "true",
      IGGY_HTTP_TLS_CERT_FILE: "/etc/cert.pem",
      IGGY_TCP_TLS_ENABLED: "true",
    };
    const { config } = load({ environment: named });
    const needed = certificatesNeeded(config);
    expect([needed.http?.selfSigned, needed.tcp?.selfSigned]).toEqual([false, true]);
  });

  test("a key that does nothing is named where it has another value than its default", () => {
    const toml =
      "[system.recovery]\nrecreate_missing_state = true\n[quic]\nsend_window = '100 KB'\ninitial_mtu = '2 KB'";
    const { warnings } = load({ toml, environment: { IGGY_TCP_IPV6: "true" } });
    const says = "the key is accepted and does nothing here";
    const lines = warnings.filter((line) => line.endsWith(says));
    expect(lines).toEqual([
      expect.stringMatching(/^tcp\.ipv6 = "true" \(IGGY_TCP_IPV6\)/),
      expect.stringMatching(/^quic\.initial_mtu = "2 KB" \(/),
      expect.stringMatching(/^system\.recovery\.recreate_missing_state = true \(/),
    ]);
  });

  test("the nearest .env is read below the environment, before the configuration file is looked for", () =>
    inDirectory((directory) => {
      mkdirSync(join(directory, "a"));
      writeFileSync(join(directory, "c.toml"), "[http]\nenabled = false");
      const lines = [
        "# comment",
        "IGGY_CONFIG_PATH=c.toml",
        'export IGGY_TCP_ADDRESS="0.0.0.0:1" # why',
        "RUST_LOG=debug",
      ];
      writeFileSync(join(directory, ".env"), lines.join("\n"));
      const loaded = at(join(directory, "a"), { RUST_LOG: "warn" });
      expect(loaded.environmentPath).toBe(join(directory, ".env"));
      expect(loaded.config.http.enabled).toBe(false);
      expect(loaded.config.tcp.address).toBe("0.0.0.0:1");
      expect(loaded.environment.RUST_LOG).toBe("warn");
    }));

  test("IGGY_ENV_PATH names the file; one that is missing or cannot be read stops the start", () =>
    inDirectory((directory) => {
      writeFileSync(join(directory, "my.env"), "IGGY_TCP_ENABLED=false");
      writeFileSync(join(directory, ".env"), "IGGY_TCP_ENABLED=true");
      writeFileSync(join(directory, "config.toml"), "");
      expect(at(directory, { IGGY_ENV_PATH: "my.env" }).config.tcp.enabled).toBe(false);
      expect(() => at(directory, { IGGY_ENV_PATH: "absent.env" })).toThrow(
        new ConfigError(['IGGY_ENV_PATH = "absent.env": the file does not exist']),
      );
      expect(() => at(directory, { IGGY_ENV_PATH: "." })).toThrow('IGGY_ENV_PATH = ".": the file cannot be read');
      expect(at(directory, { IGGY_ENV_PATH: "" }).environmentPath).toBe(join(directory, ".env"));
    }));

  test("a .env that was found and cannot be read is a warning", () =>
    inDirectory((directory) => {
      mkdirSync(join(directory, ".env"));
      writeFileSync(join(directory, "config.toml"), "");
      const loaded = at(directory);
      expect(loaded.environmentPath).toBeUndefined();
      expect(loaded.warnings).toEqual([expect.stringContaining(`${join(directory, ".env")}: cannot be read, ignored`)]);
    }));

  test.each([
    ["[tcp]\nenabled = maybe", "config.toml (line 2, column 11): must be TOML"],
    ["a = 1\n\na = 2", "config.toml (line 3, column 1): must be TOML"],
  ])("broken TOML %j is one error that names file and place", (toml, part) => {
    const [line, ...more] = violations({ toml });
    expect(more).toEqual([]);
    expect(line).toContain(part);
  });

  test("an unreadable file is an error, not the defaults", () =>
    inDirectory((directory) => {
      mkdirSync(join(directory, "config.toml"));
      expect(() => at(directory)).toThrow("config.toml: must be a readable file");
    }));
});

describe("warnings", () => {
  test("an unknown variable is named with at most three near ones", () => {
    const { warnings } = load({ toml: "", environment: { IGGY_TCP_ADRESS: "x", IGGY_QQQQQQQQQQ: "y", OTHER: "z" } });
    expect(warnings).toHaveLength(2);
    expect(warnings[0]).toBe("unknown environment variable IGGY_QQQQQQQQQQ");
    expect(warnings[1]).toStartWith("unknown environment variable IGGY_TCP_ADRESS; did you mean IGGY_TCP_ADDRESS or ");
    expect(warnings[1]?.split(" or ").length).toBeLessThanOrEqual(3);
  });

  test("known variables that are no keys are not reported", () => {
    const names = ["IGGY_ROOT_USERNAME", "IGGY_DISPLAY_CONFIG", "IGGY_CI_BUILD", "IGGY_HOME", "IGGY_CONNECTORS_SINK_X"];
    expect(load({ toml: "", environment: Object.fromEntries(names.map((name) => [name, "1"])) }).warnings).toEqual([]);
  });

  test("an unknown key is ignored and named", () => {
    const { warnings } = load({ toml: "[tcp]\nadress = 1\n[zzzzzzzz]\na = 1" });
    expect([...warnings].sort()).toEqual([
      "unknown key tcp.adress in config.toml is ignored; did you mean address?",
      "unknown key zzzzzzzz in config.toml is ignored",
    ]);
  });

  test("text that is no size in an optional WebSocket key is ignored and named", () => {
    const { config, warnings } = load({ toml: '[websocket]\nmax_frame_size = "big"' });
    expect(config.websocket.maxFrameSizeBytes).toBeUndefined();
    expect(warnings[0]).toStartWith('websocket.max_frame_size = "big" (config.toml): must be a size');
  });

  test("files of a certificate for QUIC that self_signed makes useless deserve a word", () => {
    const files = '[quic.certificate]\ncert_file = "own.pem"\nkey_file = "own-key.pem"\n';
    const { warnings } = load({ toml: files });
    expect(warnings).toEqual([
      expect.stringMatching(/quic\.certificate\.cert_file and key_file are not used .*self_signed = true/),
    ]);
    expect(load({ toml: `${files}self_signed = false` }).warnings).toEqual([]);
    expect(load({ toml: `[quic]\nenabled = false\n${files}` }).warnings).toEqual([]);
  });

  test("gzip and unequal secrets deserve a word", () => {
    const toml =
      '[system.compression]\ndefault_algorithm = "gzip"\n[http.jwt]\nencoding_secret="a"\ndecoding_secret="b"';
    const { warnings } = load({ toml });
    expect(warnings).toHaveLength(2);
  });
});

describe("acknowledge", () => {
  const acknowledge = (partition: string) => load({ toml: `[system.partition]\n${partition}` });

  test("enforce_fsync = true is sync", () => {
    expect(acknowledge("enforce_fsync = true").config.system.partition.acknowledge).toBe("sync");
    expect(acknowledge("enforce_fsync = true").warnings).toEqual([]);
  });

  test("without it the key counts", () => {
    expect(acknowledge('acknowledge = "memory"').config.system.partition.acknowledge).toBe("memory");
    expect(acknowledge("enforce_fsync = false").config.system.partition.acknowledge).toBe("write");
  });

  test("a contradiction syncs, with a warning", () => {
    const { config, warnings } = acknowledge('acknowledge = "memory"\nenforce_fsync = true');
    expect(config.system.partition.acknowledge).toBe("sync");
    expect(warnings).toHaveLength(1);
  });
});

test("all broken rules come in one error with exit code 1, one line each", () => {
  try {
    load({ toml: "[tcp]\nenabled = 1\n[quic]\nenabled = 2", environment: { IGGY_HEARTBEAT_INTERVAL: "5" } });
    throw new Error("loaded");
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    expect(error.exitCode).toBe(1);
    expect(error.message.split("\n")).toEqual([
      "tcp.enabled = 1 (config.toml): must be true or false",
      "quic.enabled = 2 (config.toml): must be true or false",
      'heartbeat.interval = "5" (IGGY_HEARTBEAT_INTERVAL): must be a duration: numbers with units such as 500ms, 30s, 1 m or 2 days 4 hours',
    ]);
  }
});
