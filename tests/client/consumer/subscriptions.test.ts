// Consumers and readers on a server that pushes: what they ask for while nothing comes, and what ends a subscription.
import { expect, setDefaultTimeout, test } from "bun:test";
import { type Client, connect, type Topic, text } from "../../../src/client/index.bun.ts";
import { metric } from "../../extensions/support.ts";
import { noGlobalRights } from "../../support/permissions.ts";
import { eventually } from "../../support/process-facts.ts";
import { type TestServer, useServers } from "../../support/server.ts";

const servers = useServers();
setDefaultTimeout(120_000);

const urlOf = (server: TestServer, transport: "tcp" | "websocket" = "tcp", user = "iggy:iggy") =>
  `${transport === "tcp" ? "iggy" : "iggy+ws"}://${user}@127.0.0.1:${server.portOf(transport)}`;

async function topicOf(client: Client, name: string, partitionsCount: number): Promise<Topic<string, string>> {
  const topic = client.topic("shop", name, text);
  await topic.ensure({ partitionsCount });
  return topic;
}

/** Bytes of requests so far; a ping has none, every other request of a consumer has some. */
const requestBytes = async (server: TestServer) => {
  const reply = await fetch(`http://127.0.0.1:${server.portOf("http")}/metrics`);
  const lines = (await reply.text())
    .split("\n")
    .filter((line) => /^whippet_received_bytes.*(tcp|websocket)/.test(line));
  return lines.map((line) => line.slice(line.lastIndexOf(" ") + 1)).join();
};
const pings = (server: TestServer) => metric(server, 'whippet_command_duration_seconds_count{command="ping"}');

/** Until nothing but pings has come for longer than a member would wait before it asks again. */
async function untilIdle(server: TestServer): Promise<string> {
  let last = "";
  let sinceMs = performance.now();
  return eventually(
    "no requests",
    async () => {
      const now = await requestBytes(server);
      if (now !== last) sinceMs = performance.now();
      last = now;
      return performance.now() - sinceMs > 1_300 ? now : "";
    },
    (now) => now !== "",
  );
}

test.each([
  "tcp",
  "websocket",
] as const)("over %s: who waits asks for nothing, and has what is sent at once", async (transport) => {
  const server = await servers.start({ shards: 2 });
  await using client = await connect(urlOf(server, transport), { heartbeatMs: 200 });
  expect(client.server.features.has("subscriptions")).toBe(true);
  const topic = await topicOf(client, "orders", 3);
  const few = await topicOf(client, "few", 1);
  const seen: string[] = [];
  const handle =
    (name: string) =>
    ({ value }: { readonly value: string }) =>
      void seen.push(`${name} ${value}`);
  const consumers = [
    topic.consumer({ group: "g" }),
    few.consumer({ group: "g" }),
    few.consumer({ group: "g" }), // to which no partition belongs
    topic.consumer({ name: "all" }),
  ];
  const running = consumers.map((consumer, index) => consumer.run(handle(`c${index}`)));
  const reader = topic.reader({ from: "new" });
  const reading = (async () => {
    for await (const message of reader) handle("reader")(message);
  })();
  await eventually(
    "the partitions",
    () => consumers.map(({ partitions }) => partitions.size).toSorted(),
    (sizes) => sizes.join() === "0,1,3,3",
  );
  const before = await untilIdle(server);
  const pingsBefore = await pings(server);
  await Bun.sleep(1_500);
  expect(await requestBytes(server)).toBe(before);
  expect(await pings(server)).toBeGreaterThan(pingsBefore);
  expect(await metric(server, "whippet_subscriptions")).toBe(3 + 1 + 3 + 3 + consumers.length + 1);
  expect(await metric(server, "whippet_waiting_polls")).toBe(0);
  for (const partitionId of [0, 1, 2]) await topic.send({ value: `m${partitionId}`, partitionId });
  await few.send({ value: "f" });
  await eventually(
    "the messages",
    () => seen.length,
    (length) => length === 10,
  );
  // A partition that is added is found without being asked for.
  await client.createPartitions("shop", "orders", 1);
  await eventually(
    "the new one",
    () => [consumers[0]!.partitions.size, consumers[3]!.partitions.size].join(),
    (sizes) => sizes === "4,4",
  );
  await Promise.all([...consumers.map((consumer) => consumer.close()), reader.close()]);
  await Promise.all([...running, reading]);
  await eventually(
    "no subscriptions",
    () => metric(server, "whippet_subscriptions"),
    (count) => count === 0,
  );
});

test("a member that comes takes over what another had, to the message, while messages are sent", async () => {
  const server = await servers.start({ shards: 2 });
  await using client = await connect(urlOf(server));
  const topic = await topicOf(client, "orders", 4);
  const seen: string[] = [];
  const start = () => {
    const consumer = topic.consumer({ group: "g" });
    return { consumer, running: consumer.run(({ value }) => void seen.push(value)) };
  };
  let isSending = true;
  const sent: string[] = [];
  const sending = (async () => {
    for (let count = 0; isSending; count++) {
      const value = `m${count}`;
      sent.push(value);
      await topic.send({ value, partitionId: count % 4 });
      await Bun.sleep(1);
    }
  })();
  const members = [start()];
  const sizes = (wanted: string) =>
    eventually(
      `partitions ${wanted}`,
      () =>
        members
          .map(({ consumer }) => consumer.partitions.size)
          .toSorted()
          .join(),
      (now) => now === wanted,
    );
  await sizes("4");
  members.push(start());
  members.push(start());
  await sizes("1,1,2");
  const [first] = members.splice(0, 1);
  await first!.consumer.close();
  await first!.running;
  await sizes("2,2");
  isSending = false;
  await sending;
  await eventually(
    "all of them",
    () => new Set(seen).size,
    (size) => size === sent.length,
  );
  for (const { consumer } of members) await consumer.close();
  await Promise.all(members.map(({ running }) => running));
  // In order, and again only what was not committed when all was given out anew: the first one has left.
  for (const partitionId of [0, 1, 2, 3]) {
    const own = (text: string) => Number(text.slice(1)) % 4 === partitionId;
    expect([...new Set(seen.filter(own))]).toEqual(sent.filter(own));
  }
});

test("a purge is a reset, also for who lags behind; a right that is taken away ends the loop", async () => {
  const server = await servers.start({ shards: 2 });
  await using client = await connect(urlOf(server));
  const topic = await topicOf(client, "orders", 2);
  const permissions = { global: { ...noGlobalRights, pollMessages: true, readTopics: true }, streams: [] };
  await client.createUser({ username: "guest", password: "secret", permissions });
  await using guest = await connect(urlOf(server, "tcp", "guest:secret"));
  const values = ["a", "b", "c"].flatMap((value) => [0, 1].map((partitionId) => ({ value, partitionId })));
  await topic.send(values);
  const consumer = guest.topic("shop", "orders", text).consumer({ name: "n", prefetch: { messages: 2 } });
  const resets: string[] = [];
  void (async () => {
    for await (const event of consumer.events()) {
      if (event.kind === "reset") resets.push(`${event.partitionId}: ${event.fromOffset} to ${event.toOffset}`);
    }
  })();
  const seen: string[] = [];
  const outcome = consumer
    .run(({ value }) => void seen.push(value))
    .then(
      () => undefined,
      (error: { errorName: string }) => error.errorName,
    );
  await eventually(
    "the first ones",
    () => seen.length,
    (length) => length === 6,
  );
  await client.purgeTopic("shop", "orders");
  await topic.send(values.map(({ value, partitionId }) => ({ value: value.toUpperCase(), partitionId })));
  await eventually(
    "the new ones",
    () => seen.length,
    (length) => length === 12,
  );
  expect(resets.toSorted()).toEqual(["0: 3 to 0", "1: 3 to 0"]);
  expect(seen.slice(6).toSorted().join("")).toBe("AABBCC");
  await client.updatePermissions("guest", undefined);
  expect(await outcome).toBe("Unauthorized");
  await consumer.close();
});

test("where no more subscriptions may be open, consumers poll", async () => {
  const server = await servers.start({ shards: 2, env: { IGGY_LIMITS_SUBSCRIPTIONS: "3" } });
  await using client = await connect(urlOf(server));
  const topic = await topicOf(client, "orders", 3);
  const seen: string[] = [];
  const consumers = ["a", "b", "c"].map((name) => topic.consumer({ name }));
  const running = consumers.map((consumer) => consumer.run(({ value }) => void seen.push(value)));
  for (let count = 1; count <= 5; count++) {
    for (const partitionId of [0, 1, 2]) await topic.send({ value: `${partitionId}/${count}`, partitionId });
    await eventually(
      "the messages",
      () => seen.length,
      (length) => length === 9 * count,
    );
  }
  expect(await metric(server, "whippet_refused_subscriptions_total")).toBeGreaterThan(0);
  await Promise.all(consumers.map((consumer) => consumer.close()));
  await Promise.all(running);
});
