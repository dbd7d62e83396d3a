// Sends that nobody waits for, one by one: the loop waits only while the buffer is full.
import { connect, json } from "@whippet/client";

await using client = await connect(process.env.IGGY_URL ?? "iggy://iggy:iggy@localhost:8090");
const readings = client.topic("shop", "readings", json<{ sensor: number; celsius: number }>());
await readings.ensure({ partitionsCount: 3 });
await using producer = readings.producer();
for (let sensor = 0; sensor < 10_000; sensor++) {
  await producer.ready;
  const value = { sensor, celsius: 20 + (sensor % 5) };
  producer.send({ value }).catch((error: unknown) => console.error(`the reading of ${sensor} is lost:`, error));
}
await producer.flush();
console.log(producer.stats.sentMessages, "stored");
