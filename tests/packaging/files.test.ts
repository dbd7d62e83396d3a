// The files of packaging/ say the same as the broker: keys and ports, how long a stop takes, which version this is.
import { describe, expect, test } from "bun:test";
import packageJson from "../../package.json" with { type: "json" };
import { parseListenAddress } from "../../src/config/address.ts";
import type { Config } from "../../src/config/schema/index.ts";
import { stopMsMax } from "../../src/shard/supervisor.ts";
import { healthPaths } from "../../src/transport/http/routes/health.ts";
import { load } from "../config/support.ts";
import { read } from "../docs/markdown.ts";

const dockerfile = read("packaging/docker/Dockerfile");
const unit = read("packaging/systemd/whippet.service");
const transports = ["tcp", "quic", "http", "websocket"] as const;

interface Compose {
  readonly services: Readonly<
    Record<
      string,
      { environment?: Record<string, string>; ports: string[]; stop_grace_period?: string; read_only?: boolean }
    >
  >;
}

const compose = Bun.YAML.parse(read("packaging/compose/compose.yaml")) as Compose;

function portsOf(config: Config): Record<string, number | undefined> {
  return Object.fromEntries(transports.map((name) => [name, parseListenAddress(config[name].address)?.port]));
}

const defaultPorts = portsOf(load({}).config);

/** The configuration that these variables make; what is unknown or of no use is a failure. */
function configWith(environment: Record<string, string>): Config {
  const { config, warnings } = load({ environment });
  expect(warnings.filter((line) => line.includes("IGGY_"))).toEqual([]);
  return config;
}

describe("the image", () => {
  const [, block = ""] = /^ENV ((?:.*\\\n)*.*)$/m.exec(dockerfile) ?? [];
  const variables = Object.fromEntries(block.split(/\s*\\\n\s*/).map((pair) => pair.split("=") as [string, string]));

  test("listens everywhere at the default ports, which it names, and logs to its standard output", () => {
    const config = configWith(variables);
    expect(portsOf(config)).toEqual(defaultPorts);
    for (const name of transports) expect(parseListenAddress(config[name].address)?.host).toBe("0.0.0.0");
    expect(config.system.logging.fileEnabled).toBe(false);
    const [, exposed = ""] = /^EXPOSE (.*)$/m.exec(dockerfile) ?? [];
    const want = transports.map((name) => `${defaultPorts[name]}/${name === "quic" ? "udp" : "tcp"}`);
    expect(exposed.split(" ").toSorted()).toEqual(want.toSorted());
  });

  test("writes below its volume only, as a user that is not root and is in its passwd", () => {
    const [, volume = ""] = /^VOLUME \["(.*)"\]$/m.exec(dockerfile) ?? [];
    expect(configWith(variables).system.path).toStartWith(`${volume}/`);
    expect(variables.XDG_CACHE_HOME).toStartWith(`${volume}/`);
    const [, user = ""] = /^USER (\d+:\d+)$/m.exec(dockerfile) ?? [];
    expect(user).not.toMatch(/^0:|:0$/);
    expect(read("packaging/docker/passwd")).toContain(`:${user}:Whippet:${volume}:`);
  });

  test("asks a path of the broker for its health, at its port", () => {
    const [, url = ""] = /"(http:\/\/[^"]*)"\]$/m.exec(dockerfile) ?? [];
    expect(new URL(url).port).toBe(String(defaultPorts.http));
    expect(healthPaths.map(String)).toContain(new URL(url).pathname);
  });

  test("copies only what .dockerignore lets through", () => {
    const allowed = read(".dockerignore")
      .split("\n")
      .flatMap((line) => (line.startsWith("!") ? [line.slice(1)] : []));
    const copied = [...dockerfile.matchAll(/^COPY (?!--from)(?:--\S+ )*(\S+) \S+$/gm)].map(([, path = ""]) => path);
    expect(copied.toSorted()).toEqual(allowed.toSorted());
  });
});

describe("Compose", () => {
  const { whippet } = compose.services;

  test("opens the default ports, of this machine only, and demands the root password", () => {
    const ports = whippet?.ports.map((text) => /^127\.0\.0\.1:(\d+):\1(?:\/udp)?$/.exec(text)?.[1]);
    expect(ports?.toSorted()).toEqual(Object.values(defaultPorts).map(String).toSorted());
    expect(whippet?.environment?.IGGY_ROOT_PASSWORD).toStartWith("${IGGY_ROOT_PASSWORD:?");
    configWith({ IGGY_ROOT_USERNAME: "iggy", ...whippet?.environment });
    expect(whippet?.read_only).toBe(true);
  });

  test("has no two services at one port of the machine", () => {
    const all = Object.values(compose.services).flatMap(({ ports }) =>
      ports.map((text) => text.replace(/:\d+(\/udp)?$/, "$1")),
    );
    expect(new Set(all).size).toBe(all.length);
  });

  test("Prometheus asks where the broker is", () => {
    const settings = Bun.YAML.parse(read("packaging/compose/prometheus/prometheus.yml")) as {
      scrape_configs: { job_name: string; metrics_path: string; static_configs: { targets: string[] }[] }[];
    };
    expect(settings.scrape_configs).toMatchObject([
      {
        job_name: "whippet",
        metrics_path: load({}).config.http.metrics.endpoint,
        static_configs: [{ targets: [`whippet:${defaultPorts.http}`] }],
      },
    ]);
  });
});

describe("the unit of systemd", () => {
  const valuesOf = (key: string) =>
    [...unit.matchAll(new RegExp(`^${key}=(.*)$`, "gm"))].map(([, value = ""]) => value);

  test("keeps data in its state directory and knows the keys that it sets", () => {
    const variables = Object.fromEntries(valuesOf("Environment").map((pair) => pair.split("=") as [string, string]));
    expect(configWith(variables).system.path).toBe(`/var/lib/${valuesOf("StateDirectory")[0]}`);
    expect(variables.XDG_CACHE_HOME).toBe(`/var/cache/${valuesOf("CacheDirectory")[0]}`);
    expect(read("packaging/systemd/whippet.sysusers")).toMatch(new RegExp(`^u ${valuesOf("User")[0]} `, "m"));
  });

  test("leaves the runtime what it needs: it compiles as it runs", () => {
    expect(valuesOf("MemoryDenyWriteExecute")).toEqual([]);
    expect(valuesOf("RestrictAddressFamilies").join(" ").split(" ").toSorted()).toEqual([
      "AF_INET",
      "AF_INET6",
      "AF_UNIX",
    ]);
  });
});

test("whoever stops the broker waits longer than a stop may take", () => {
  const values = Bun.YAML.parse(read("packaging/helm/whippet/values.yaml")) as {
    terminationGracePeriodSeconds: number;
  };
  const seconds = [
    Number(/^TimeoutStopSec=(\d+)$/m.exec(unit)?.[1]),
    Number(/^(\d+)s$/.exec(compose.services.whippet?.stop_grace_period ?? "")?.[1]),
    Number(/docker stop --time (\d+)/.exec(dockerfile)?.[1]),
    values.terminationGracePeriodSeconds,
  ];
  for (const each of seconds) expect(each * 1000).toBeGreaterThan(stopMsMax);
});

test("the chart is for this version of the broker", () => {
  const chart = Bun.YAML.parse(read("packaging/helm/whippet/Chart.yaml")) as { appVersion: string };
  expect(chart.appVersion).toBe(packageJson.version);
});
