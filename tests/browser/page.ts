// What the page does: bundled for browsers by the test. It tells the test how it went with one POST to where it came from.
import { connect } from "../../src/client/index.ts";

const messagesCount = 1000;
const batchMessages = 100;
const target = { stream: "orders", topic: "from-a-page" };

/** Text of several scripts, or bytes of every value. */
function payloadOf(number: number): Uint8Array {
  if (number % 2 === 0)
    return new TextEncoder().encode(`message ${number}: grüße, 世界, 🦊\u0000${"é".repeat(number)}`);
  return Uint8Array.from({ length: 256 + number }, (_, index) => (index + number) % 256);
}

function isEqual(left: Uint8Array, right: Uint8Array): boolean {
  return left.byteLength === right.byteLength && left.every((byte, index) => byte === right[index]);
}

/** Throws where something differs. */
async function sendAndPoll(port: number): Promise<string> {
  const client = await connect(`iggy+ws://iggy:iggy@127.0.0.1:${port}`, { reconnect: false });
  await client.createStream(target.stream);
  await client.createTopic(target.stream, { name: target.topic, partitionsCount: 1 });
  for (let first = 0; first < messagesCount; first += batchMessages) {
    const messages = Array.from({ length: batchMessages }, (_, index) => ({ payload: payloadOf(first + index) }));
    await client.sendMessages({ ...target, partitioning: { kind: "partition", partitionId: 0 }, messages });
  }
  const consumer = { kind: "consumer", id: { kind: "string", value: "page" } } as const;
  let polledCount = 0;
  while (polledCount < messagesCount) {
    const strategy = { kind: "next", value: 0n } as const;
    const request = { ...target, consumer, partitionId: 0, strategy, count: 300, autoCommit: true };
    const { messages } = await client.pollMessages(request);
    if (messages.length === 0) throw new Error(`only ${polledCount} messages came back`);
    for (const { offset, payload } of messages) {
      if (Number(offset) !== polledCount) throw new Error(`offset ${offset} in place of ${polledCount}`);
      if (!isEqual(payload, payloadOf(polledCount))) throw new Error(`message ${polledCount} differs`);
      polledCount++;
    }
  }
  const { transport } = await client.getMe();
  await client.close();
  return `${polledCount} messages over ${transport} in ${navigator.userAgent}`;
}

function textOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

const port = Number(new URL(import.meta.url).searchParams.get("port"));
const result = await sendAndPoll(port).then(
  (text) => ({ isFine: true, text }),
  (error: unknown) => ({ isFine: false, text: textOf(error) }),
);
await fetch("/result", { method: "POST", body: JSON.stringify(result) });
