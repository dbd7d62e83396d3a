// The search in messages: what may be written, what it matches, how far it goes.
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { encode } from "../../src/protocol/codec.ts";
import type { PolledMessage } from "../../src/protocol/message/poll-messages.ts";
import { headerString, userHeadersCodec } from "../../src/protocol/user-headers.ts";
import { filterOf } from "../../src/server/console/message-filter.ts";
import { guessBinary } from "../../src/web/messages/binary/guess.ts";
import { compareDecimals } from "../../src/web/messages/decimals.ts";
import { foundMax, type Scan, Search, type SearchLimits } from "../../src/web/messages/search.ts";
import { parseSearch, SearchSyntaxError } from "../../src/web/messages/search-grammar.ts";
import { matches } from "../../src/web/messages/search-match.ts";
import { scanTermsOf } from "../../src/web/messages/search-terms.ts";
import type { Poll } from "../../src/web/messages/window.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

function problemOf(text: string): string {
  try {
    parseSearch(text);
    return "";
  } catch (error) {
    if (error instanceof SearchSyntaxError) return `${error.problem} ${error.position}`;
    throw error;
  }
}

describe("what is searched for", () => {
  const userHeaders = encode(userHeadersCodec, [
    { key: headerString("trace"), value: headerString("4f3a-99") },
    { key: headerString("size"), value: { kind: "uint128", value: 2n ** 100n } },
  ]);
  const payload = bytes(
    '{"id":18446744073709551615,"id":"x","total":120.50,"name":"Ann \\"B\\"","lines":[{"item":"tea","n":3},{"item":"salt"}],"a.b":true,"none":null}',
  );
  const id = 0x0197f3a26c1e8d529b1a000000000001n;
  const hits = (text: string) => matches(parseSearch(text)!, { id, payload, userHeaders }, () => undefined);

  test.each([
    "tea",
    "TEA salt",
    '"\\"item\\":\\"salt\\""',
    "total > 100",
    "total=120.5",
    "total >= 1205e-1",
    "total < 1000000000000000000000000000000",
    "total != 5",
    "id = 18446744073709551615",
    "id > 18446744073709551614",
    "id = x",
    "id = 0197f3a2-6c1e-8d52-9b1a-000000000001",
    `id = ${0x0197f3a26c1e8d529b1a000000000001n}`,
    "lines[0].item = tea",
    "lines[1].item ~ AL",
    "not lines[2].item = tea",
    '"a.b" = true',
    "none = null",
    "header.trace ~ 4F3A",
    `header.size = ${2n ** 100n}`,
    "coffee or (tea and not coffee)",
    "not (coffee or cake) name ~ ann",
    'name = "Ann \\"B\\""',
  ])("%s is found", (text) => {
    expect(hits(text)).toBe(true);
  });

  test.each([
    "coffee",
    "total > 120.5",
    "id = 18446744073709551614",
    "lines[0].item = salt",
    "lines.item = tea",
    "a.b = true",
    "header.trace = 4f3a",
    "header.other = x",
    "not tea",
    "tea coffee",
    "missing != x and missing = x",
  ])("%s is not", (text) => {
    expect(hits(text)).toBe(false);
  });

  test("says where it is wrong", () => {
    expect([
      problemOf('"open'),
      problemOf("(a"),
      problemOf("a)"),
      problemOf("a ="),
      problemOf("a or"),
      problemOf("= 1"),
      problemOf("a..b = 1"),
      problemOf(`${"(".repeat(60)}a`),
    ]).toEqual([
      "unclosedQuote 0",
      "unclosedBracket 0",
      "strayBracket 1",
      "missingValue 2",
      "missingTerm 4",
      "badName 0",
      "badName 0",
      "tooDeep 51",
    ]);
    expect(parseSearch("   ")).toBeUndefined();
    expect(problemOf("not-a-word or-not")).toBe("");
  });

  test("never fails in another way, whatever is typed and whatever is searched", () => {
    const typed = fc.string({ unit: fc.constantFrom(...'ab.[]0()"\\=<>~! ', "or", "not", "header.") });
    fc.assert(
      fc.property(typed, fc.uint8Array(), (text, random) => {
        if (problemOf(text) !== "") return;
        const condition = parseSearch(text);
        const message = { id: 1n, payload: random, userHeaders: random };
        if (condition !== undefined) matches(condition, message, (all) => guessBinary(all)?.value);
      }),
    );
  });

  test("is looked for in MessagePack, too", () => {
    const packed = Uint8Array.of(0x81, 0xa1, 0x61, 0xcf, ...Array(8).fill(0xff)); // {"a": 2^64 - 1}
    const condition = parseSearch("a = 18446744073709551615")!;
    const message = { id: 0n, payload: packed, userHeaders: new Uint8Array(0) };
    expect(matches(condition, message, (all) => guessBinary(all)?.value)).toBe(true);
  });
});

test("decimals of any length compare as numbers", () => {
  fc.assert(
    fc.property(fc.bigInt(), fc.bigInt(), fc.integer({ min: 0, max: 30 }), (left, right, zeros) => {
      const order = left < right ? -1 : Number(left > right);
      expect(Math.sign(compareDecimals(String(left), String(right))!)).toBe(order);
      expect(Math.sign(compareDecimals(`${left}e${zeros}`, `${right}${"0".repeat(zeros)}.00`)!)).toBe(order);
    }),
  );
  expect(compareDecimals("-0", "0.000")).toBe(0);
  expect(compareDecimals("0.001", "1e-3")).toBe(0);
  expect(compareDecimals("x", "1")).toBeUndefined();
});

describe("a search", () => {
  const limits: SearchLimits = { messages: 100_000, bytes: 2 ** 40, ms: 2 ** 40 };
  const none = new Uint8Array(0);
  let polls = 0;

  /** Partitions whose messages are their own offsets; those before `first` are gone. */
  function pollOver(count: number, first = 0, size = 1): Poll {
    return async (partitionId, strategy, wanted) => {
      polls++;
      const start =
        strategy.kind === "last" ? count - wanted : strategy.kind === "first" ? first : Number(strategy.value);
      const from = Math.max(first, start);
      return Array.from({ length: Math.max(0, Math.min(wanted, count - from)) }, (_, index): PolledMessage => {
        const offset = BigInt(from + index);
        const timestampMicros = offset * 10n + BigInt(partitionId);
        const times = { timestampMicros, originTimestampMicros: 0n };
        return {
          ...times,
          checksum: 0n,
          id: 0n,
          offset,
          reserved: 0n,
          payload: new Uint8Array(size),
          userHeaders: none,
        };
      });
    };
  }
  const isHit = ({ offset }: PolledMessage) => offset % 1000n === 7n;
  const offsets = (search: Search) =>
    search.progress.found.map(({ partitionId, offset }) => `${partitionId}:${offset}`);

  test("looks at every message once, in either direction", async () => {
    for (const [from, direction, expected] of [
      [{ kind: "newest" }, "older", ["0:2007", "0:1007", "0:7"]],
      [{ kind: "oldest" }, "newer", ["0:7", "0:1007", "0:2007"]],
      [{ kind: "offset", offset: 1007n }, "newer", ["0:1007", "0:2007"]],
      [{ kind: "offset", offset: 1006n }, "older", ["0:7"]],
    ] as const) {
      const search = new Search(pollOver(2500), [0], from, direction, isHit);
      const { end } = await search.run(limits, () => undefined);
      expect([end, offsets(search)]).toEqual(["all", [...expected]]);
    }
    const both = new Search(pollOver(2500, 500), [0, 1], { kind: "newest" }, "older", isHit);
    const { scanned } = await both.run(limits, () => undefined);
    expect([scanned, offsets(both).sort()]).toEqual([4000, ["0:1007", "0:2007", "1:1007", "1:2007"]]);
  });

  test("stops at each limit, and goes on where it was", async () => {
    const search = new Search(pollOver(5000), [0], { kind: "oldest" }, "newer", isHit);
    const first = await search.run({ ...limits, messages: 1500 }, () => undefined);
    expect([first.end, first.scanned, first.found.length]).toEqual(["messages", 1500, 2]);
    const second = await search.run({ ...limits, messages: 1500 }, () => undefined);
    expect([second.end, second.scanned, offsets(search).at(-1)]).toEqual(["messages", 3000, "0:2007"]);
    expect((await search.run({ ...limits, bytes: 1 }, () => undefined)).end).toBe("bytes");
    expect((await search.run({ ...limits, ms: 0 }, () => undefined)).end).toBe("time");
    const stopped = await search.run(limits, () => search.stop());
    expect(stopped.end).toBe("stopped");
    expect((await search.run(limits, () => undefined)).scanned).toBe(5000);

    const all = new Search(pollOver(5000), [0], { kind: "oldest" }, "newer", () => true);
    const full = await all.run(limits, () => undefined);
    expect(full.end).toBe("found");
    expect(full.found.length).toBeGreaterThanOrEqual(foundMax);
  });

  test("asks for fewer messages at once where they are large", async () => {
    polls = 0;
    const search = new Search(pollOver(400, 0, 512 * 1024), [0], { kind: "oldest" }, "newer", isHit);
    await search.run({ ...limits, messages: 30 }, () => undefined);
    // One for the first offset, one of ten messages, then two messages at once.
    expect(polls).toBe(1 + 1 + 10);
  });

  test("asks the broker for parts where it can, and polls where the broker has no room", async () => {
    const whole = pollOver(25_000, 100);
    let looks = 0;
    const scan: Scan = async (partitionId, from, to) => {
      looks++;
      if (looks === 4) throw new Error("no room");
      const count = Math.min(7000, Number(to - from) + 1);
      const messages = await whole(partitionId, { kind: "offset", value: from }, count);
      const seen = messages.filter(({ offset }) => offset <= to);
      const last = seen.at(-1);
      return {
        found: seen.filter(isHit),
        ...{ scanned: seen.length, bytes: seen.length, next: last === undefined ? from : last.offset + 1n },
        ...{ firstMicros: seen[0]?.timestampMicros ?? 0n, lastMicros: last?.timestampMicros ?? 0n },
      };
    };
    for (const [from, direction] of [
      [{ kind: "newest" }, "older"],
      [{ kind: "oldest" }, "newer"],
    ] as const) {
      looks = direction === "older" ? 0 : 10;
      const search = new Search(whole, [0], from, direction, isHit, scan);
      const { end, scanned } = await search.run(limits, () => undefined);
      expect([end, scanned, search.progress.found.length]).toEqual(["all", 24_900, 24]);
      expect(search.isAtBroker).toBe(direction === "newer");
      const found = search.progress.found.map(({ offset }) => Number(offset));
      expect(found).toEqual(found.toSorted((left, right) => (direction === "older" ? right - left : left - right)));
    }
  });

  test("leaves nothing out where a reply has no room for all that was asked for", async () => {
    const whole = pollOver(1000);
    const short: Poll = async (partitionId, strategy, count) =>
      (await whole(partitionId, strategy, count)).slice(0, 30);
    const search = new Search(short, [0], { kind: "newest" }, "older", isHit);
    const { scanned, end } = await search.run(limits, () => undefined);
    expect([scanned, end, offsets(search)]).toEqual([1000, "all", ["0:7"]]);
  });
});

describe("what the broker may leave out", () => {
  const termsOf = (text: string) => scanTermsOf(parseSearch(text)!);

  test("is what has not the words and headers that every hit has", () => {
    expect(termsOf("Tea total > 100 header.trace = 4f3a-99")).toEqual([
      { text: "tea" },
      { header: "trace", value: "4f3a-99" },
    ]);
    expect(termsOf("tea or salt")).toEqual([]);
    expect(termsOf("not tea")).toEqual([]);
    expect(termsOf("header.n = 1 header.trace ~ x é")).toEqual([]);
    // A Kelvin sign is a k in lower case.
    expect(termsOf("coffeekitchen ki")).toEqual([{ text: "coffee" }]);
  });

  test("is never a hit: whatever matches has all terms", () => {
    const word = fc.string({ unit: fc.constantFrom("a", "K", "\u212a", "\u0130", "k", "i", "é", "1"), minLength: 1 });
    fc.assert(
      fc.property(word, word, (query, payload) => {
        const condition = parseSearch(`"${query}"`)!;
        const message = { id: 0n, payload: bytes(payload), userHeaders: new Uint8Array(0) };
        if (!matches(condition, message, () => undefined)) return;
        const filter = filterOf(scanTermsOf(condition));
        expect(filter({ ...message, offset: 0n, timestampMicros: 0n, whole: message.payload })).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});
