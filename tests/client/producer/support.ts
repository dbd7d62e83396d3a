// A producer on a broker that a test plays.
import { afterEach } from "bun:test";
import { type Client, type ProducerOptions, text } from "../../../src/client/index.bun.ts";
import { FakeBroker, type FakeSend } from "../fake-broker.ts";

export const clients: Client[] = [];
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close({ timeoutMs: 0 })));
});

/** The client is closed after the test. */
export async function start(options: ProducerOptions = {}, broker = new FakeBroker()) {
  const client = await broker.connect();
  clients.push(client);
  const topic = client.topic("shop", "orders", text);
  const producer = topic.producer(options);
  return { broker, client, topic, producer };
}

/** Holds every send back until a test answers it. */
export function hold(broker: FakeBroker): FakeSend[] {
  const held: FakeSend[] = [];
  broker.onSend = (send) => held.push(send);
  return held;
}

/** The payloads of each send, joined. */
export const texts = (broker: FakeBroker) => broker.sends.map((send) => send.texts.join(""));
