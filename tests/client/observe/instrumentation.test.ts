// Hooks for commands and sends, on a broker that a test plays.
import { expect, test } from "bun:test";
import { type Instrumentation, text } from "../../../src/client/index.bun.ts";
import { EncodedHeaders } from "../../../src/client/topic/headers.ts";
import { FakeBroker } from "../fake-broker.ts";
import { rejection } from "../scripted-server.ts";

test("commands and batches are told at their start and at their end; trace context goes along as headers", async () => {
  const told: string[] = [];
  const instrumentation: Instrumentation = {
    request: ({ command, bytes }) => {
      told.push(`${command} ${bytes > 0}`);
      return ({ error, durationMs }) => told.push(`${command} ended ${error === undefined} ${durationMs >= 0}`);
    },
    send: ({ stream, topic, partitionId, messagesCount }) => {
      told.push(`${stream}/${topic} ${partitionId} ${messagesCount}`);
      return ({ error }) => told.push(`sent ${error === undefined}`);
    },
    inject: (carrier) => {
      carrier.traceparent = "00-1-2-01";
    },
  };
  const broker = new FakeBroker();
  await using client = await broker.connect({ instrumentation });
  expect(told).toEqual(["getFeatures false", "getFeatures ended false true"]);
  told.length = 0;
  const topic = client.topic("shop", "orders", text);
  await topic.send({ value: "a", partitionId: 1 });
  expect(told).toEqual(["shop/orders 1 1", "sendMessages true", "sendMessages ended true true", "sent true"]);
  told.length = 0;
  const producer = topic.producer();
  await producer.send({ value: "b", partitionId: 2, headers: { own: 1 } });
  broker.onSend = (send) => send.refuse("Unauthorized");
  await rejection(producer.send({ value: "c", partitionId: 2 }));
  expect(told.slice(2)).toEqual(["shop/orders 2 1", "sent true", "shop/orders 2 1", "sent false"]);
  const [first, second] = broker.sends.flatMap(({ messages }) => messages);
  expect(new EncodedHeaders(first!.userHeaders!).get("traceparent")).toBe("00-1-2-01");
  expect([...new EncodedHeaders(second!.userHeaders!)]).toEqual([
    ["traceparent", "00-1-2-01"],
    ["own", 1],
  ]);
});

test("a hook that returns nothing hears of starts only", async () => {
  const commands: string[] = [];
  const broker = new FakeBroker();
  const request = ({ command }: { readonly command: string }) => {
    commands.push(command);
    return undefined;
  };
  await using client = await broker.connect({ instrumentation: { request } });
  await client.getStreams();
  expect(commands).toEqual(["getFeatures", "getStreams"]);
});
