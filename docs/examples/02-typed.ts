// Values of a type: checked when they are sent, and when they are read, where the text of a time becomes a Date.
import { connect, json, SchemaError } from "@whippet/client";
import * as z from "zod"; // or Valibot, ArkType, anything that implements Standard Schema

const Order = z.object({ orderId: z.string(), amount: z.number().positive(), at: z.coerce.date() });

await using client = await connect(process.env.IGGY_URL ?? "iggy://iggy:iggy@localhost:8090");
process.once("SIGINT", () => client.close());
const orders = client.topic("shop", "orders", json(Order));
await orders.ensure({ partitionsCount: 3 });

await orders.send({ value: { orderId: "A-1", amount: 12, at: "2026-11-29T10:00:00Z" }, key: "A-1" });
try {
  await orders.send({ value: { orderId: "A-2", amount: -1, at: "2026-11-29T10:00:00Z" }, key: "A-2" });
} catch (error) {
  if (!(error instanceof SchemaError)) throw error;
  console.log("refused:", error.issues.map(({ path }) => path?.join(".")).join(", ")); // nothing of it was sent
}
for await (const { value } of orders.consumer({ group: "billing" })) {
  console.log("bill", value.orderId, value.at.getUTCFullYear());
}
