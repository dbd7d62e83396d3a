// By hand: whole batches, own commits, and what to do when a partition is too far behind.
import { type Batch, connect, json } from "@whippet/client";

interface Order {
  readonly orderId: string;
}

const lagMax = Number(process.env.LAG_MAX ?? 100_000);

async function archive(batch: Batch<Order>): Promise<void> {
  console.log("archived", batch.messagesCount, "of partition", batch.partitionId);
}

await using client = await connect(process.env.IGGY_URL ?? "iggy://iggy:iggy@localhost:8090");
process.once("SIGINT", () => client.close());
const orders = client.topic("shop", "orders", json<Order>());
await using audit = orders.consumer({ name: "audit", partitions: [0, 1], commit: "manual" });
for await (const batch of audit.batches()) {
  await archive(batch);
  await audit.commit(batch);
  if ((audit.partitions.get(1)?.lag ?? 0) > lagMax) {
    audit.pause([0]);
    await audit.seek("new", [1]);
    console.log("partition 1 goes on with what is new, partition 0 waits");
  }
}
