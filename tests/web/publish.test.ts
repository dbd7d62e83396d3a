// What is behind publishing: drafts as bytes, places in an address, the order of sends, commands to copy.
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { decode } from "../../src/protocol/codec.ts";
import { userHeadersCodec } from "../../src/protocol/user-headers.ts";
import { createCommand, quoted, readCommand } from "../../src/web/messages/copy-as.ts";
import { DraftError, type DraftHeader, headersOf, payloadOf } from "../../src/web/messages/draft.ts";
import { readPlaces, writePlaces } from "../../src/web/messages/places.ts";
import { sendInOrder } from "../../src/web/messages/send-run.ts";

function problemOf(make: () => unknown): string {
  try {
    make();
  } catch (error) {
    if (error instanceof DraftError) return `${error.problem} ${error.subject}`.trim();
    throw error;
  }
  return "";
}

describe("a draft", () => {
  test("becomes the bytes that were typed", () => {
    const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
    expect(hex(payloadOf("text", "ä\n"))).toBe("c3a40a");
    expect(hex(payloadOf("hex", "de AD\nbe"))).toBe("deadbe");
    expect(hex(payloadOf("base64", " AP8= "))).toBe("00ff");
    expect(new TextDecoder().decode(payloadOf("json", '{"a": 1.50 }'))).toBe('{"a": 1.50 }');
    expect(problemOf(() => payloadOf("json", "{"))).toBe("json");
    expect(problemOf(() => payloadOf("hex", "abc"))).toBe("hex");
    expect(problemOf(() => payloadOf("base64", "%"))).toBe("base64");
  });

  test("has headers of every kind, within their bounds", () => {
    const header = (kind: DraftHeader["kind"], value: string, key = "k") => ({ key, kind, value });
    const readBack = (kind: DraftHeader["kind"], value: string) =>
      decode(userHeadersCodec, headersOf([header(kind, value)]))[0]?.value.value;
    expect(readBack("int128", "-170141183460469231731687303715884105728")).toBe(-(2n ** 127n));
    expect(readBack("uint8", " 255 ")).toBe(255);
    expect(readBack("int64", "+5")).toBe(5n);
    expect(readBack("bool", "false")).toBe(false);
    expect(readBack("float64", "1e3")).toBe(1000);
    expect(readBack("raw", "00 ff")).toEqual(Uint8Array.of(0, 255));
    for (const [kind, value] of [
      ["uint8", "256"],
      ["int8", "-129"],
      ["uint64", "-1"],
      ["int32", "1.5"],
      ["bool", "yes"],
      ["float32", ""],
    ] as const) {
      expect([kind, value, problemOf(() => headersOf([header(kind, value)]))]).toEqual([kind, value, "value k"]);
    }
    expect(problemOf(() => headersOf([header("string", "")]))).toBe("length k");
    expect(problemOf(() => headersOf([header("string", "x".repeat(256))]))).toBe("length k");
    expect(problemOf(() => headersOf([header("string", "a", "")]))).toBe("key");
    expect(problemOf(() => headersOf([header("string", "a"), header("string", "b")]))).toBe("duplicate k");
  });
});

describe("places", () => {
  test("come back from the text that they are written as", () => {
    const message = fc.record({ partitionId: fc.nat({ max: 3 }), offset: fc.bigInt({ min: 0n, max: 30n }) });
    fc.assert(
      fc.property(fc.array(message, { maxLength: 40 }), (messages) => {
        const found = (readPlaces(writePlaces(messages)) ?? []).flatMap(({ partitionId, first, last }) =>
          Array.from({ length: Number(last - first) + 1 }, (_, index) => ({
            partitionId,
            offset: first + BigInt(index),
          })),
        );
        expect(found).toEqual(messages);
      }),
    );
    expect(writePlaces([7n, 8n, 9n, 11n].map((offset) => ({ partitionId: 2, offset })))).toBe("2:7-9,2:11");
  });

  test("are none where the text is none, or too many", () => {
    expect(["x", "1", "0:5-4", "0:0-500", "0:1,1:x"].map(readPlaces)).toEqual(Array(5).fill(undefined));
    expect(readPlaces("0:0-499")).toHaveLength(1);
    expect(readPlaces("")).toEqual([]);
  });
});

describe("a run of sends", () => {
  const options = { count: 5, start: 0, perSecond: undefined, isStopped: () => false, onSent: () => undefined };

  test("goes in order, and stops at what is refused", async () => {
    const sent: number[] = [];
    const send = async (index: number) => {
      if (index === 3) throw new Error("refused");
      sent.push(index);
    };
    await expect(sendInOrder({ ...options, send })).rejects.toThrow("refused");
    expect(sent).toEqual([0, 1, 2]);
    expect(await sendInOrder({ ...options, start: 4, send })).toBe(5);
    expect(sent).toEqual([0, 1, 2, 4]);
  });

  test("ends where it is stopped", async () => {
    let sent = 0;
    const send = async () => {
      sent++;
    };
    expect(await sendInOrder({ ...options, send, isStopped: () => sent === 2 })).toBe(2);
    expect(sent).toBe(2);
  });
});

test("commands quote what a shell would read otherwise, and hold no token", () => {
  const odd = "it's $HOME; `x`";
  const shell = Bun.spawnSync(["sh", "-c", `printf %s ${quoted(odd)}`]);
  expect(shell.stdout.toString()).toBe(odd);
  const target = { origin: "http://127.0.0.1:3000", stream: odd, topic: "a/b" };
  expect(readCommand("curl", target, 3, 2n ** 60n, 1)).toContain("topics/a%2Fb/messages?partition_id=3&kind=offset");
  expect(readCommand("typescript", target, 3, 2n ** 60n, 1)).toContain("value: 1152921504606846976n");
  expect(createCommand("cli", target.origin)).toContain('iggy --token "$TOKEN" stream create demo');
});
