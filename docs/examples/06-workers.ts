// A worker: sixteen orders at a time, the messages of one order in their order. What fails is tried again, then goes to a topic of
// its own. Any number of these share the partitions; each ends in good order with SIGTERM.
import { connect, json } from "@whippet/client";

interface Order {
  readonly orderId: string;
  readonly address?: string;
}

async function ship({ orderId, address }: Order): Promise<void> {
  if (address === undefined) throw new Error("no address");
  await new Promise((resolve) => setTimeout(resolve, 1));
  console.log("shipped", orderId);
}

await using client = await connect(process.env.IGGY_URL ?? "iggy://iggy:iggy@localhost:8090");
const orders = client.topic("shop", "orders", json<Order>());
const deadLetter = client.topic("shop", "orders-failed");
await orders.ensure({ partitionsCount: 3 });
await deadLetter.ensure({ partitionsCount: 1 });

const shipping = orders.consumer({ group: "shipping" });
process.once("SIGTERM", () => shipping.close());
await shipping.run(({ value }) => ship(value), {
  concurrency: 16,
  orderBy: ({ value }) => value.orderId,
  onError: { repeats: 5, minMs: 10, then: { deadLetter } },
});
console.log("done");
