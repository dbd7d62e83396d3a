// Every row of a file (`orderId,amount` in each line), as fast as the broker takes them, without a promise for each.
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { connect, json } from "@whippet/client";

interface Order {
  readonly orderId: string;
  readonly amount: number;
}

async function* rowsOf(path: string) {
  for await (const line of createInterface({ input: createReadStream(path) })) {
    const [orderId = "", amount] = line.split(",");
    yield { value: { orderId, amount: Number(amount) }, key: orderId };
  }
}

await using client = await connect(process.env.IGGY_URL ?? "iggy://iggy:iggy@localhost:8090");
const orders = client.topic("shop", "orders", json<Order>());
await orders.ensure({ partitionsCount: 3 });
await using producer = orders.producer();
console.log(await producer.sendAll(rowsOf(process.argv[2] ?? "orders.csv")), "stored");
