// What a broker exports with OpenTelemetry, received by collectors of the test's own.
import { expect, test } from "bun:test";
import { codeOf } from "../support/error-code.ts";
import { eventually } from "../support/process-facts.ts";
import { useServers } from "../support/server.ts";
import { Collector, telemetryTo } from "./collector.ts";

const servers = useServers();

test.each(["http", "grpc"] as const)("log lines and commands reach a collector over %s", async (transport) => {
  await using collector = transport === "grpc" ? await Collector.grpc() : Collector.http();
  const server = await servers.start({ shards: 2, env: telemetryTo(collector, transport) });
  const client = await server.connect();
  await client.createStream("orders");
  await client.createTopic("orders", { name: "created", partitionsCount: 1 });
  await client.ping();
  expect(await codeOf(client.createStream("orders"))).toBe(1012);
  await client.close();
  await server.stop();

  const made = collector.spans.filter(({ name }) => name === "trace_create_stream");
  expect(made.map(({ status }) => status?.code ?? 0)).toEqual([0, 2]);
  expect(made[1]!.status!.message).toBe("StreamNameAlreadyExists (1012)");
  expect(made[0]!.resource).toMatchObject({ "service.name": "orders-broker" });
  expect(made[0]!.attributes).toMatchObject({ iggy_user_id: 0, "network.transport": "tcp" });
  const topic = collector.spans.find(({ name }) => name === "trace_create_topic");
  expect(topic?.attributes).toMatchObject({ iggy_stream_id: "orders" });
  expect(collector.spans.filter(({ name }) => name === "trace_ping")).toEqual([]);

  const lines = collector.logs.map(({ body }) => body);
  // From the main thread, up to the last, and from the shards.
  for (const line of ["whippet starts", "created a stream", "stopped; everything is flushed and synced"]) {
    expect(lines).toContain(line);
  }
  const audit = collector.logs.find(({ body }) => body === "created a topic");
  expect(audit).toMatchObject({ severity: "INFO", attributes: { target: "audit", topic: "created", partitions: 1 } });
  expect(new Set(collector.logs.map(({ resource }) => resource["thread.name"]))).toContain("main");
});

test("a collector that is not there is told of once, and holds up nothing", async () => {
  const gone = Collector.http();
  const { url } = gone;
  await gone[Symbol.asyncDispose]();
  const server = await servers.start({ env: telemetryTo({ url }, "http") });
  const client = await server.connect();
  await client.createStream("orders");
  await eventually(
    "the log says so",
    () => server.log,
    (text) => text.includes("what is to be exported cannot be sent"),
  );
  await client.ping();
  await client.close();
  await server.stop();
}, 60_000);

test("without a URL the start is refused, and names the key", async () => {
  const { exitCode, stderr } = await servers.run({
    env: { IGGY_TELEMETRY_ENABLED: "true", IGGY_TELEMETRY_LOGS_ENDPOINT: "collector:4317" },
  });
  expect(exitCode).toBe(1);
  expect(stderr).toContain("telemetry.logs.endpoint");
});

test("standard output is JSON where the configuration says so; the file stays text", async () => {
  const server = await servers.start({ env: { IGGY_SYSTEM_LOGGING_FORMAT: "json" } });
  await server.stop();
  const lines = server.stdout.split("\n").filter((line) => line.startsWith("{"));
  const records = lines.map((line) => JSON.parse(line) as { readonly message: string; readonly level: string });
  expect(records.map(({ message }) => message)).toContain("whippet is running (Iggy server is running)");
  expect(records.every(({ level }) => ["info", "warn"].includes(level))).toBe(true);
  // The password of a first start is for eyes, not for collectors.
  expect(server.stdout.split("\n").filter((line) => line !== "" && !line.startsWith("{"))).toEqual([]);
});

test("a start says what was set and where, and the line of resources only at debug", async () => {
  const quick = { IGGY_SYSTEM_LOGGING_SYSINFO_PRINT_INTERVAL: "10 ms", IGGY_DISPLAY_CONFIG: undefined };
  const server = await servers.start({ env: { ...quick, IGGY_CLUSTER_NAME: "orders" } });
  const client = await server.connect();
  await Bun.sleep(100);
  await client.close();
  await server.stop();
  expect(server.stdout).toContain('config cluster.name = "orders" from=IGGY_CLUSTER_NAME');
  expect(server.stdout).not.toContain("system.segment.size");
  expect(server.stdout).not.toContain("shard-0::sysinfo");
  const talkative = await servers.start({ env: { ...quick, IGGY_SYSTEM_LOGGING_LEVEL: "debug" } });
  await eventually(
    "a line of resources",
    () => talkative.stdout,
    (text) => text.includes("shard-0::sysinfo"),
  );
  await talkative.stop();
  expect(talkative.stdout).toContain("[system.segment]");
}, 60_000);
