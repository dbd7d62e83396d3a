import { describe, expect, test } from "bun:test";
import {
  AuthenticationError,
  BackpressureError,
  ConnectionError,
  ConnectionLostError,
  HandlerError,
  IggyError,
  type Message,
  SchemaError,
  SendError,
} from "../../src/client/index.ts";

const message = { partitionId: 3, offset: 17 } as Message<unknown>;
const refusal = new IggyError("InvalidCredentials");

test("every class says what, where and what to do", () => {
  const facts = { place: "shop/orders, partition 3", isUncertain: true, messagesCount: 2, attempts: 2 };
  const cases: readonly [IggyError, string, number, RegExp][] = [
    [
      new ConnectionError("iggy://h:1", 3, "nobody listens."),
      "ConnectionError",
      9,
      /h:1 \(3 attempts\): nobody listens/,
    ],
    [new ConnectionLostError(true), "ConnectionLostError", 8, /may have been carried out/],
    [new AuthenticationError("iggy://h:1", refusal), "AuthenticationError", 42, /iggy:\/\/h:1 was refused; check/],
    [new SendError(facts, "Disconnected"), "SendError", 8, /2 messages for shop\/orders, partition 3: may be stored/],
    [new BackpressureError(7), "BackpressureError", 4053, /7 bytes wait.*ready/],
    [new SchemaError([{ message: "too small", path: ["a", { key: 0 }] }]), "SchemaError", 4, /a\.0: too small/],
    [new SchemaError([], { failed: message }), "SchemaError", 4, /partition 3, offset 17/],
    [new HandlerError(message, 2, refusal), "HandlerError", 1, /2 times.*partition 3, offset 17/],
  ];
  for (const [error, name, code, text] of cases) {
    expect(error).toBeInstanceOf(IggyError);
    expect(error).toMatchObject({ name, code });
    expect(error.message).toMatch(text);
    expect(String(error)).toStartWith(`${name}: `);
  }
  expect(new HandlerError(message, 1, refusal).cause).toBe(refusal);
});

describe("IggyError.is", () => {
  test("takes names, and errors of another copy of the package", async () => {
    const built = await Bun.build({
      entrypoints: [`${import.meta.dir}/../../src/protocol/errors.ts`],
      target: "browser",
    });
    const url = URL.createObjectURL(new Blob([await built.outputs[0]!.text()], { type: "text/javascript" }));
    const copy: typeof import("../../src/protocol/errors.ts") = await import(url);
    const foreign = new copy.IggyError("StreamIdNotFound");
    expect(foreign instanceof IggyError).toBe(false);
    expect(IggyError.is(foreign)).toBe(true);
    expect(IggyError.is(foreign, "TopicIdNotFound", "StreamIdNotFound")).toBe(true);
    expect(IggyError.is(foreign, "TopicIdNotFound")).toBe(false);
  });

  test("nothing else is one", () => {
    for (const value of [undefined, null, "x", 4, {}, new Error("x"), { errorName: "Error" }]) {
      expect(IggyError.is(value)).toBe(false);
    }
  });
});
