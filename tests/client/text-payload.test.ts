// A text in the place of a payload, which JavaScript lets through: it is encoded or refused, never stored as zeros.
import { expect, test } from "bun:test";
import { text } from "../../src/client/index.bun.ts";
import { nameId } from "../../src/protocol/identifier.ts";
import { encodeSendMessages } from "../../src/protocol/message/send-messages.ts";
import { FakeBroker } from "./fake-broker.ts";
import { rejection } from "./scripted-server.ts";

const balanced = { kind: "balanced" } as const;

test.each(["text", 5, null, undefined, [1, 2], {}])("the command refuses %p", (value) => {
  const messages = [{ payload: value as unknown as Uint8Array }];
  const request = { stream: nameId("s"), topic: nameId("t"), partitioning: balanced, messages };
  expect(() => encodeSendMessages(request)).toThrow(TypeError);
});

test("handles: bytes refuse text, the format `text` encodes it", async () => {
  const broker = new FakeBroker();
  await using client = await broker.connect();
  const value = "text" as unknown as Uint8Array;
  const bytes = client.topic("s", "t");
  expect(await rejection(bytes.send({ value }))).toBeInstanceOf(TypeError);
  expect(await rejection(bytes.producer().send({ value }))).toBeInstanceOf(TypeError);
  expect(broker.sends).toEqual([]);
  await client.topic("s", "t", text).send({ value: "text" });
  expect(broker.sends[0]!.texts).toEqual(["text"]);
});
