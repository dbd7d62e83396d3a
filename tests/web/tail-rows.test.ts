// Rows of a live view: the newest first, a bounded number, and where each partition goes on.
import { expect, test } from "bun:test";
import type { PolledMessage } from "../../src/client/console-client.ts";
import { TailRows, tailRowsMax } from "../../src/web/messages/tail-rows.ts";

const nothing = new Uint8Array(0);

function messages(first: number, count: number): PolledMessage[] {
  const rest = { checksum: 0n, id: 0n, timestampMicros: 0n, originTimestampMicros: 0n, reserved: 0n };
  return Array.from({ length: count }, (_, index) => ({
    ...{ ...rest, payload: nothing, userHeaders: nothing },
    offset: BigInt(first + index),
  }));
}

function batch(partitionId: number, first: number, count: number) {
  return { partitionId, currentOffset: 0n, messages: messages(first, count) };
}

test("rows come on top, and the oldest leave", () => {
  const tail = new TailRows(
    messages(5, 2)
      .map((message) => ({ ...message, partitionId: 0 }))
      .reverse(),
  );
  expect(tail.positions).toEqual({ "0": "7" });
  tail.add(batch(1, 0, 2));
  expect(tail.rows.map(({ key }) => key)).toEqual(["1 1", "1 0", "0 6", "0 5"]);
  expect(tail.positions).toEqual({ "0": "7", "1": "2" });
  for (let first = 7; first < 3007; first += 500) tail.add(batch(0, first, 500));
  expect(tail.rows).toHaveLength(tailRowsMax);
  expect(tail.rows[0]?.key).toBe("0 3006");
  expect(tail.rows.at(-1)?.key).toBe(`0 ${3006 - tailRowsMax + 1}`);
  expect(tail.count).toBe(3002);
});

test("what is left out is a row, and the tail goes on behind it", () => {
  const tail = new TailRows([]);
  tail.add(batch(0, 0, 1));
  tail.skip(0, 1n, 99n);
  tail.add(batch(0, 100, 1));
  expect(tail.rows.map(({ kind }) => kind)).toEqual(["message", "skip", "message"]);
  expect(tail.positions).toEqual({ "0": "101" });
  tail.purge(0);
  expect(tail.positions).toEqual({ "0": "0" });
  expect(new Set(tail.rows.map(({ key }) => key)).size).toBe(4);
});
