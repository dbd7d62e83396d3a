// Metrics: the original's names, and what this server adds, with the right numbers over two shards.
import { describe, expect, test } from "bun:test";
import { X509Certificate } from "node:crypto";
import { eventKeys, metricKeys, ownMetrics } from "../../src/observability/counters.ts";
import { ExtensionCode } from "../../src/protocol/extensions/codes.ts";
import { nameId } from "../../src/protocol/identifier.ts";
import { type CertificatePair, loadOrCreateCertificate } from "../../src/security/certificates.ts";
import { durationBoundsMs, Statistics } from "../../src/shard/statistics.ts";
import { CertificateFiles } from "../support/certificates.ts";
import { codeOf } from "../support/error-code.ts";
import { eventually } from "../support/process-facts.ts";
import { useServers } from "../support/server.ts";
import { freshAnswer, freshMetrics } from "./fresh-metrics.ts";
import { HttpTestClient } from "./http-client.ts";

const servers = useServers();

interface Family {
  readonly type: string;
  readonly samples: Map<string, number>;
}

/** Families of an OpenMetrics text; throws for a line that is none. */
function parse(text: string): Map<string, Family> {
  const families = new Map<string, Family>();
  let current: Family | undefined;
  const lines = text.split("\n");
  expect(lines.slice(-2)).toEqual(["# EOF", ""]);
  for (const line of lines.slice(0, -2)) {
    const type = /^# TYPE (\w+) (counter|gauge|histogram)$/.exec(line);
    const sample = /^(\w+(?:\{(?:\w+="[^"]*",?)*\})?) (\S+)$/.exec(line);
    if (type !== null) {
      current = { type: type[2] ?? "", samples: new Map() };
      families.set(type[1] ?? "", current);
    } else if (sample !== null) {
      current?.samples.set(sample[1] ?? "", Number(sample[2]));
    } else if (!/^# HELP \w+ .+\.$/.test(line)) {
      throw new Error(`not OpenMetrics: ${line}`);
    }
  }
  return families;
}

test("a class of durations takes what is above the class before it and at most its bound", () => {
  const statistics = new Statistics();
  for (const bound of durationBoundsMs) statistics.answered(101, bound);
  statistics.answered(101, 99_999);
  statistics.answered(999_999_999, 1);
  statistics.answered(ExtensionCode.pollWaiting, 1);
  const { commands } = statistics.snapshot(0, { sentCount: 0, waitedCount: 0, depth: 0 });
  expect(commands).toEqual([
    { code: 101, counts: [...durationBoundsMs.map(() => 1), 1], totalMs: expect.closeTo(106_443.4) },
    // Those of our own have the last place, whatever their numbers.
    {
      code: ExtensionCode.pollWaiting,
      counts: durationBoundsMs.map((bound) => Number(bound === 1)).concat(0),
      totalMs: 1,
    },
  ]);
});

describe("metrics", async () => {
  const server = await servers.start({ shards: 2 });
  const root = await HttpTestClient.login(server);
  const anonymous = new HttpTestClient(server);
  let askedCount = 0;
  const ask = async () => {
    askedCount++;
    return (await anonymous.request("GET", "/metrics")).text;
  };
  const read = async () => parse(await freshAnswer(ask));
  const requestsCount = async () => (await read()).get("http_requests")?.samples.get("http_requests_total") ?? 0;
  const topic = { compression_algorithm: "none", message_expiry: 0, max_topic_size: 0, partitions_count: 4 };

  test("take no token at /metrics, count themselves and have the original's type", async () => {
    const first = (await requestsCount()) - askedCount;
    expect((await requestsCount()) - askedCount).toBe(first);
    const answer = await anonymous.request("GET", "/metrics");
    expect([answer.status, answer.type]).toEqual([200, "text/plain; charset=utf-8"]);
    // Who asks for OpenMetrics gets the same text by its name, with which counters have types and help.
    const accept = "application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.3";
    const named = await fetch(`http://127.0.0.1:${server.portOf("http")}/metrics`, { headers: { accept } });
    expect(named.headers.get("content-type")).toBe("application/openmetrics-text; version=1.0.0; charset=utf-8");
    expect(await named.text()).toEndWith("# EOF\n");
  });

  test("begin with the original's families, in its order", async () => {
    const { text } = await anonymous.request("GET", "/metrics");
    expect(text).toStartWith(
      "# HELP http_requests total count of http_requests.\n# TYPE http_requests counter\nhttp_requests_total ",
    );
    const names = [...parse(text).keys()];
    expect(names.slice(0, 8)).toEqual([
      "http_requests",
      "streams",
      "topics",
      "partitions",
      "segments",
      "messages",
      "users",
      "clients",
    ]);
    expect(names.slice(8).every((name) => name.startsWith("whippet_"))).toBe(true);
  });

  test("show every metric of the table, from the start and for each shard", async () => {
    const families = await read();
    const shown = [...families.keys()].slice(8);
    expect(shown).toEqual(metricKeys.map((key) => ownMetrics[key].name.replace(/_total$/, "")));
    for (const key of eventKeys) {
      const { name } = ownMetrics[key];
      const samples = families.get(name.replace(/_total$/, ""))?.samples;
      expect([...(samples?.keys() ?? [])]).toEqual([`${name}{shard="0"}`, `${name}{shard="1"}`]);
    }
  });

  test("show what there is", async () => {
    await root.request("POST", "/streams", { name: "s" });
    await root.request("POST", "/streams/s/topics", { name: "t", ...topic });
    await root.request("POST", "/streams/s/topics/t/consumer-groups", { name: "g" });
    for (const value of ["AAAAAA==", "AQAAAA==", "AgAAAA==", "AwAAAA=="]) {
      const messages = [{ payload: "aGVsbG8=" }, { payload: "aGVsbG8=" }];
      await root.request("POST", "/streams/s/topics/t/messages", {
        partitioning: { kind: "partition_id", value },
        messages,
      });
    }
    const families = await read();
    const values = ["streams", "topics", "partitions", "segments", "messages", "users", "clients"].map((name) =>
      families.get(name)?.samples.get(name),
    );
    expect(values).toEqual([1, 1, 4, 4, 8, 1, 0]);
  });

  test("tell what room and memory there is; without TLS no certificate ends", async () => {
    const families = await read();
    const [free, size, memory] = ["disk_free", "disk_size", "process_memory"].map(
      (name) => families.get(`whippet_${name}_bytes`)?.samples.get(`whippet_${name}_bytes`) ?? 0,
    );
    expect(free).toBeGreaterThan(0);
    expect(size).toBeGreaterThanOrEqual(free!);
    expect(memory).toBeGreaterThan(10 * 1024 * 1024);
    expect(families.get("whippet_certificate_expiry_seconds")?.samples.size).toBe(0);
  });

  test("tell how far a group is behind", async () => {
    const label = 'whippet_consumer_group_lag{stream="s",topic="t",group="g"}';
    expect((await read()).get("whippet_consumer_group_lag")?.samples.get(label)).toBe(8);
    const client = await server.connect();
    await client.joinConsumerGroup("s", "t", "g");
    const consumer = { kind: "group", id: nameId("g") } as const;
    await client.storeConsumerOffset({ stream: "s", topic: "t", consumer, partitionId: 1, offset: 0n });
    await client.storeConsumerOffset({ stream: "s", topic: "t", consumer, partitionId: 2, offset: 1n });
    expect((await read()).get("whippet_consumer_group_lag")?.samples.get(label)).toBe(5);
    await client.close();
  });

  test("tell how long commands took, whatever the transport and the shard", async () => {
    const client = await server.connect();
    await client.ping();
    const family = (await read()).get("whippet_command_duration_seconds");
    expect(family?.type).toBe("histogram");
    const of = (name: string, command: string, le = "") =>
      family?.samples.get(
        `whippet_command_duration_seconds_${name}{${le === "" ? "" : `le="${le}",`}command="${command}"}`,
      ) ??
      family?.samples.get(
        `whippet_command_duration_seconds_${name}{command="${command}"${le === "" ? "" : `,le="${le}"`}}`,
      );
    expect(of("count", "send_messages")).toBe(4);
    expect(of("bucket", "send_messages", "+Inf")).toBe(4);
    expect(of("sum", "send_messages")).toBeGreaterThan(0);
    expect(of("count", "ping")).toBeGreaterThan(0);
    expect(of("count", "create_stream")).toBe(1);
    const classes = durationBoundsMs.map((bound) => of("bucket", "send_messages", String(bound / 1000)) ?? -1);
    expect(classes).toEqual(classes.toSorted((left, right) => left - right));
    await client.close();
  });

  test("count errors by name, what went out, and how late the loops were; topics have numbers of their own", async () => {
    const client = await server.connect();
    expect(await codeOf(client.createStream("s"))).toBe(1012);
    expect((await root.request("POST", "/streams", { name: "s" })).status).toBe(400);
    const families = await read();
    const errors = families.get("whippet_command_errors")?.samples;
    expect(errors?.get('whippet_command_errors_total{error="StreamNameAlreadyExists"}')).toBe(2);
    const delivered = [...(families.get("whippet_delivered_messages")?.samples.values() ?? [])];
    expect(delivered).toHaveLength(2);
    expect([...families.get("whippet_event_loop_delay_seconds")!.samples.values()].every((late) => late >= 0)).toBe(
      true,
    );
    const ofTopic = (name: string) => families.get(name)?.samples.get(`${name}{stream="s",topic="t"}`);
    expect(ofTopic("whippet_topic_messages")).toBe(8);
    expect(ofTopic("whippet_topic_size_bytes")).toBeGreaterThan(8 * 64);
    await client.close();
  });

  test("count bytes by transport, and what went from shard to shard", async () => {
    const families = await read();
    const bytes = (direction: string, transport: string) =>
      families
        .get(`whippet_${direction}_bytes`)
        ?.samples.get(`whippet_${direction}_bytes_total{transport="${transport}"}`);
    expect(bytes("received", "http")).toBeGreaterThan(500);
    expect(bytes("sent", "http")).toBeGreaterThan(500);
    expect(bytes("received", "tcp")).toBeGreaterThan(10);
    expect(bytes("sent", "quic")).toBe(0);
    const forwarded = families.get("whippet_forwarded_requests")?.samples;
    expect(forwarded?.get('whippet_forwarded_requests_total{shard="0"}')).toBeGreaterThan(0);
    for (const name of ["whippet_mailbox_depth", "whippet_mailbox_waits", "whippet_moved_connections"]) {
      expect([...(families.get(name)?.samples.values() ?? [])]).toHaveLength(2);
    }
  });
});

describe("the endpoint of metrics", () => {
  test("has rows for as many topics as the configuration allows", async () => {
    const server = await servers.start({ env: { IGGY_HTTP_METRICS_TOPICS_MAX: "2" } });
    const client = await server.connect();
    await client.createStream("s");
    for (const name of ["a", "b", "c"]) await client.createTopic("s", { name, partitionsCount: 1 });
    const { text } = await new HttpTestClient(server).request("GET", "/metrics");
    expect(parse(text).get("whippet_topic_messages")?.samples.size).toBe(2);
    await client.close();
    await server.stop();
  });

  test("may be another one, which takes a token", async () => {
    const server = await servers.start({ env: { IGGY_HTTP_METRICS_ENDPOINT: "/numbers" } });
    const root = await HttpTestClient.login(server);
    const anonymous = new HttpTestClient(server);
    expect((await anonymous.request("GET", "/numbers")).status).toBe(401);
    expect((await root.request("GET", "/numbers")).text).toEndWith("# EOF\n");
    expect((await anonymous.request("GET", "/metrics")).status).toBe(404);
  });

  test("is an unknown path when metrics are off", async () => {
    const server = await servers.start({ env: { IGGY_HTTP_METRICS_ENABLED: "false" } });
    expect((await new HttpTestClient(server).request("GET", "/metrics")).status).toBe(404);
  });
});

test("they tell when the certificate of a transport ends, the new one after SIGHUP", async () => {
  const pairMadeAt = (nowMs: number) =>
    loadOrCreateCertificate(
      { files: undefined, selfSigned: true },
      { directory: servers.makeDirectory(), nowMs, onMade: () => undefined },
    );
  const dayMs = 86_400_000;
  const [first, second] = await Promise.all([pairMadeAt(Date.now() - dayMs), pairMadeAt(Date.now())]);
  const files = new CertificateFiles(servers.makeDirectory());
  files.install(first);
  const server = await servers.start({ env: files.settingsOf("tcp") });
  const expiry = async () => {
    const text = await freshMetrics(server);
    return Number(/^whippet_certificate_expiry_seconds\{transport="tcp"\} (\S+)$/m.exec(text)?.[1]);
  };
  const endOf = ({ certPem }: CertificatePair) => Date.parse(new X509Certificate(certPem).validTo) / 1000;
  expect(endOf(second)).toBeGreaterThan(endOf(first));
  expect(await expiry()).toBe(endOf(first));
  files.install(second);
  process.kill(server.pid, "SIGHUP");
  await eventually("the new certificate's end", expiry, (seconds) => seconds === endOf(second));
});
