// What is missing is named by the errors of commands, over TCP and HTTP, also where the server says only that it is not there.
import { expect, setDefaultTimeout, test } from "bun:test";
import { connect } from "../../src/client/index.bun.ts";
import { useServers } from "../support/server.ts";

const servers = useServers();
setDefaultTimeout(120_000);
const messages = [{ payload: Uint8Array.of(1) }];
const consumer = { kind: "consumer", id: { kind: "string", value: "audit" } } as const;
const strategy = { kind: "offset", value: 0n } as const;

test("streams, topics and groups that are not there are named", async () => {
  const server = await servers.start();
  await using tcp = await connect(`iggy://iggy:iggy@127.0.0.1:${server.port}`);
  await using http = await connect(`iggy+http://iggy:iggy@127.0.0.1:${server.portOf("http")}`);
  await tcp.createStream("shop");
  await tcp.createTopic("shop", { name: "orders", partitionsCount: 1 });
  for (const client of [tcp, http]) {
    const failing: readonly [() => Promise<unknown>, string, string][] = [
      [() => client.deleteStream("non"), "StreamIdNotFound", "Stream id not found: non"],
      [() => client.purgeTopic("shop", "non"), "TopicIdNotFound", "Topic id not found: shop/non"],
      [() => client.createPartitions("non", 7, 1), "StreamIdNotFound", "Stream id not found: non/7"],
      [
        () => client.sendMessages({ stream: "shop", topic: "non", messages }),
        "TopicIdNotFound",
        "Topic id not found: shop/non",
      ],
      [
        () => client.pollMessages({ stream: "shop", topic: "non", partitionId: 0, consumer, strategy, count: 1 }),
        "TopicIdNotFound",
        "Topic id not found: shop/non",
      ],
      [
        () => client.deleteConsumerGroup("shop", "orders", "non"),
        "ConsumerGroupIdNotFound",
        "Consumer group id not found: shop/orders/non",
      ],
    ];
    for (const [ask, errorName, message] of failing) await expect(ask()).rejects.toMatchObject({ errorName, message });
  }
});
