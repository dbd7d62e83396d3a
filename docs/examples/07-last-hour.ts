// What was sold in the last hour. Nothing is stored, and the loop ends at what was the head at its start.
import { connect, json } from "@whippet/client";

await using client = await connect(process.env.IGGY_URL ?? "iggy://iggy:iggy@localhost:8090");
const orders = client.topic("shop", "orders", json<{ amount: number }>());
let total = 0;
for await (const { value } of orders.reader({ from: { timestamp: new Date(Date.now() - 3_600_000) }, follow: false })) {
  total += value.amount;
}
console.log("sold for", total);
