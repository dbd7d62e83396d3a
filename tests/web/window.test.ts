// Which messages a view shows: walking from either end shows each message once, whatever the partitions hold.
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { PolledMessage } from "../../src/client/console-client.ts";
import { directionFrom, type Position } from "../../src/web/app/address.ts";
import { loadWindow, type MessageWindow, type Poll } from "../../src/web/messages/window.ts";

const nothing = new Uint8Array(0);

function message(offset: bigint, timestampMicros: bigint): PolledMessage {
  const rest = {
    checksum: 0n,
    id: 0n,
    originTimestampMicros: 0n,
    reserved: 0n,
    payload: nothing,
    userHeaders: nothing,
  };
  return { ...rest, offset, timestampMicros };
}

/** Polls as the broker answers them (spec BP 3.5): from the first message that is there on. */
function pollOf(partitions: readonly (readonly PolledMessage[])[]): Poll {
  return async (partitionId, { kind, value }, count) => {
    const all = partitions[partitionId] ?? [];
    if (kind === "first") return all.slice(0, count);
    if (kind === "last") return all.slice(-count);
    if (kind === "timestamp") return all.filter(({ timestampMicros }) => timestampMicros >= value).slice(0, count);
    return all.filter(({ offset }) => offset >= value).slice(0, count);
  };
}

function namesOf({ messages }: MessageWindow): string[] {
  return messages.map(({ partitionId, offset }) => `${partitionId}:${offset}`);
}

/** All rows from a position on, going one way. */
async function walk(poll: Poll, ids: readonly number[], from: Position, direction: "older" | "newer", count: number) {
  const rows: string[] = [];
  let next: Position | undefined = from;
  for (let turn = 0; next !== undefined && turn < 1000; turn++) {
    const window = await loadWindow(poll, ids, next, direction, count);
    rows.push(...namesOf(window));
    next = direction === "older" ? window.older : window.newer;
  }
  return rows;
}

const partition = fc
  .tuple(fc.nat({ max: 50 }), fc.array(fc.nat({ max: 5 }), { maxLength: 30 }))
  .map(([first, steps]) => {
    let time = 1_000_000n;
    return steps.map((step, index) => {
      time += BigInt(step);
      return message(BigInt(first + index), time);
    });
  });

describe("a view", () => {
  test("of every page from either end shows each message once, in the order of its partition", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(partition, { minLength: 1, maxLength: 4 }),
        fc.integer({ min: 1, max: 7 }),
        fc.constantFrom("older" as const, "newer" as const),
        async (partitions, count, direction) => {
          const ids = partitions.map((_, index) => index);
          const start = { kind: direction === "older" ? "newest" : "oldest" } as const;
          const rows = await walk(pollOf(partitions), ids, start, direction, count);
          expect(rows).toHaveLength(partitions.reduce((sum, each) => sum + each.length, 0));
          for (const id of ids) {
            const own = rows.filter((row) => row.startsWith(`${id}:`));
            const expected = (partitions[id] ?? []).map(({ offset }) => `${id}:${offset}`);
            expect(own).toEqual(direction === "older" ? expected.reverse() : expected);
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  test("leads on and back again to the same rows", async () => {
    const times = [10n, 20n, 30n, 40n, 50n, 60n];
    const partitions = [
      times.map((time, index) => message(BigInt(index), time)),
      times.map((time, index) => message(BigInt(index + 5), time + 5n)),
    ];
    const poll = pollOf(partitions);
    const first = await loadWindow(poll, [0, 1], { kind: "newest" }, "older", 4);
    expect(namesOf(first)).toEqual(["1:10", "0:5", "1:9", "0:4"]);
    expect(first.newer).toBeUndefined();
    const second = await loadWindow(poll, [0, 1], first.older!, "older", 4);
    expect(namesOf(second)).toEqual(["1:8", "0:3", "1:7", "0:2"]);
    const back = await loadWindow(poll, [0, 1], second.newer!, "newer", 4);
    expect(namesOf(back)).toEqual(namesOf(first).reverse());
  });

  test("begins at an offset, or at a time", async () => {
    const poll = pollOf([[message(7n, 1_000_000n), message(8n, 2_000_000n), message(9n, 3_000_000n)]]);
    const at = async (from: Position) => namesOf(await loadWindow(poll, [0], from, directionFrom(from), 2));
    expect(await at({ kind: "offset", offset: 8n })).toEqual(["0:8", "0:9"]);
    expect(await at({ kind: "offset", offset: 10n })).toEqual([]);
    expect(await at({ kind: "time", text: "1970-01-01T00:00:02Z" })).toEqual(["0:8", "0:9"]);
    expect(await at({ kind: "time", text: "1970-01-01T00:00:02.001Z" })).toEqual(["0:9"]);
    const before = await loadWindow(poll, [0], { kind: "time", text: "1970-01-01T00:00:03Z" }, "older", 5);
    expect(namesOf(before)).toEqual(["0:8", "0:7"]);
  });

  test("says which offsets retention has taken", async () => {
    const poll = pollOf([[message(412_000n, 1n)], [message(3n, 1n)]]);
    const { gaps } = await loadWindow(poll, [0, 1], { kind: "offset", offset: 3n }, "newer", 5);
    expect(gaps).toEqual([{ partitionId: 0, from: 3n, to: 411_999n }]);
  });

  test("of an empty topic leads nowhere", async () => {
    for (const direction of ["older", "newer"] as const) {
      const start = { kind: direction === "older" ? "newest" : "oldest" } as const;
      expect(await loadWindow(pollOf([[], []]), [0, 1], start, direction, 5)).toEqual({
        messages: [],
        gaps: [],
        older: undefined,
        newer: undefined,
      });
    }
  });
});
