// Sends one text and prints what comes, from the first message on, until it is interrupted.
import { connect, text } from "@whippet/client";

await using client = await connect(process.env.IGGY_URL ?? "iggy://iggy:iggy@localhost:8090");
process.once("SIGINT", () => client.close()); // the loop below ends, and what it has handled is committed
const greetings = client.topic("demo", "greetings", text);
await greetings.ensure({ partitionsCount: 3 });
await greetings.send({ value: "hello", key: "ann" });
for await (const { offset, value } of greetings.consumer({ group: "printers" })) console.log(offset, value);
