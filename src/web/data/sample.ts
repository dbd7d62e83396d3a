// A stream to look at, for a broker that has none: what the console can show is in it.
import { type ConsoleBroker, encodeHeaders, headerString, type MessageToSend } from "../../client/console-client.ts";

export const sampleStream = "sample";
export const sampleTopic = "orders";
const partitionsCount = 3;
const messagesCount = 30;
const goods = ["tea", "coffee", "bread", "butter", "salt"] as const;

/** Rejects with what the broker says, for example where the stream is there already (1012). */
export async function createSample(to: ConsoleBroker): Promise<void> {
  await to.createStream(sampleStream);
  await to.createTopic(sampleStream, { name: sampleTopic, partitionsCount });
  for (let number = 0; number < messagesCount; number++) {
    await to.sendMessages({
      stream: sampleStream,
      topic: sampleTopic,
      partitioning: { kind: "partition", partitionId: number % partitionsCount },
      messages: [sampleMessage(number)],
    });
  }
}

function sampleMessage(number: number): MessageToSend {
  const order = `A-${number + 1}`;
  // A number beyond those that JavaScript counts exactly: the page shows every digit.
  const customer = 9_007_199_254_740_993n + BigInt(number);
  const item = goods[number % goods.length];
  const json = `{"order":"${order}","customer":${customer},"item":"${item}","amount":${(number + 1) * 5}.50}`;
  const userHeaders = encodeHeaders([
    { key: headerString("source"), value: headerString("console") },
    { key: headerString("attempt"), value: { kind: "uint32", value: 1 } },
  ]);
  if (number % 10 === 9) return { payload: Uint8Array.of(0xde, 0xad, 0xbe, 0xef, number), userHeaders };
  if (number % 10 === 4) return { payload: new TextEncoder().encode(`order ${order} was packed\n`), userHeaders };
  return { payload: new TextEncoder().encode(json), userHeaders };
}
