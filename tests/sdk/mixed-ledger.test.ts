// The ledger of the mixed tour finds what it is there to find: each fault, put into a history that is right, is named.
import { describe, expect, test } from "bun:test";
import { MixedLedger } from "./mixed-ledger.ts";

/** Two messages of each of two producers in one partition; sums are 1 to 4. */
const stored = [
  [
    { producer: "a", number: 0, sum: 1 },
    { producer: "b", number: 0, sum: 2 },
    { producer: "a", number: 1, sum: 3 },
    { producer: "b", number: 1, sum: 4 },
  ],
];
const sent = ["sent\ta\t0\t1\t0\t0", "sent\tb\t0\t2\t\t", "sent\ta\t1\t3\t0\t2", "sent\tb\t1\t4\t\t"];
const polled = ["polled\tx\t0\t0\t1,2\t10\t20\tok\t30", "polled\ty\t0\t2\t3,4\t40\t50\tok\t60"];

function failuresOf(lines: readonly string[], topic: Parameters<MixedLedger["check"]>[0] = stored): string[] {
  const ledger = new MixedLedger();
  for (const line of lines) ledger.take(line);
  ledger.check(topic);
  return ledger.failures;
}

test("a history without a fault has no failure", () => {
  expect(failuresOf([...sent, ...polled])).toEqual([]);
});

test("what is no line is refused", () => {
  expect(() => failuresOf(["hello"])).toThrow("no line of the mixed tour: hello");
});

describe("of what is stored", () => {
  const first = stored[0]!;
  test("a message that is missing, and one that nobody sent", () => {
    expect(failuresOf([...sent, ...polled], [first.slice(0, 3)])).toContain("b 1 was acknowledged and is not stored");
    expect(failuresOf([...sent.slice(1), ...polled])).toContain("4 messages are stored, 3 were acknowledged");
  });

  test("a message that is there twice, changed, or before an earlier one", () => {
    expect(failuresOf([...sent, ...polled], [[...first, first[3]!]])).toContain("b 1 is stored twice");
    const changed = failuresOf([...sent, ...polled], [[...first.slice(0, 3), { producer: "b", number: 1, sum: 5 }]]);
    expect(changed).toContain("b 1 is stored with another content");
    const turned = failuresOf([...sent, ...polled], [[first[2]!, first[1]!, first[0]!, first[3]!]]);
    expect(turned).toContain("a 0 is behind a later one in partition 0");
  });

  test("a place that was confirmed and is another", () => {
    const wrong = sent.with(2, "sent\ta\t1\t3\t0\t3");
    expect(failuresOf([...wrong, ...polled])[0]).toStartWith("a 1 is at");
  });
});

describe("of what the members got", () => {
  const joined = (from: number, to: number) => `member\tz\tjoined\t${from}\t${to}`;

  test("a message that nobody got, and another content", () => {
    expect(failuresOf([...sent, polled[0]!])).toEqual(["nobody got 2 of partition 0: 2,3"]);
    expect(failuresOf([...sent, polled[0]!, "polled\ty\t0\t2\t3,9\t40\t50\tok\t60"])).toContain(
      "y got another content at 0:3",
    );
  });

  test("a member that goes back behind what it has committed", () => {
    const again = "polled\tx\t0\t0\t1,2\t40\t50\tok\t60";
    expect(failuresOf([...sent, ...polled, joined(0, 100), again])[0]).toContain(
      "offset 0 came although 1 was committed",
    );
  });

  test("messages that come to a second member although nobody came or went", () => {
    const first = "polled\tx\t0\t0\t1,2\t10\t20\t3022\t30";
    const second = "polled\ty\t0\t0\t1,2,3,4\t40\t50\tok\t60";
    expect(failuresOf([...sent, first, second])).toEqual([
      "x (10 to 20, 3022 at 30) and y (40 to 50, ok at 60) both got 0:0, and nobody came or went",
    ]);
    expect(failuresOf([...sent, first, second, joined(5, 9)])).toHaveLength(1);
    expect(failuresOf([...sent, first, second, joined(25, 26)])).toEqual([]);
  });

  test("messages that come to a second member although the first has committed them, or can still commit", () => {
    const second = "polled\ty\t0\t0\t1,2,3,4\t40\t50\tok\t60";
    const committed = failuresOf([...sent, polled[0]!, second, joined(25, 26)]);
    expect(committed).toEqual([
      "x (10 to 20, ok at 30) and y (40 to 50, ok at 60) both got 0:0, although the first had committed it",
    ]);
    const late = "polled\tx\t0\t0\t1,2\t10\t20\tok\t70";
    expect(failuresOf([...sent, late, second, joined(25, 26)])).toEqual([
      "x (10 to 20, ok at 70) and y (40 to 50, ok at 60) both got 0:0, and the first could commit it",
    ]);
    expect(failuresOf([...sent, late, second, joined(25, 26), joined(55, 56)])).toEqual([]);
  });

  test("of two polls at once either may have been served first", () => {
    const slow = "polled\ty\t0\t0\t1,2\t5\t45\t3022\t60";
    const more = "polled\ty\t0\t2\t3,4\t70\t80\tok\t90";
    expect(failuresOf([...sent, polled[0]!, slow, more, joined(8, 9)])).toEqual([]);
    const committed = failuresOf([...sent, polled[0]!, slow.replace("3022", "ok"), more, joined(8, 9)]);
    expect(committed[0]).toEndWith("both got 0:0, and the first could commit it");
  });

  test("a commit that comes late, by a member that has the partition again, and sets the offset back", () => {
    const early = "polled\tz\t0\t0\t1\t1\t2\tok\t35";
    const second = "polled\ty\t0\t1\t2,3,4\t40\t50\tok\t60";
    const came = [joined(3, 4), joined(32, 33)];
    expect(failuresOf([...sent, early, polled[0]!, second, ...came])).toEqual([]);
    const refused = early.replace("ok", "3022");
    expect(failuresOf([...sent, refused, polled[0]!, second, ...came])).toEqual([
      "x (10 to 20, ok at 30) and y (40 to 50, ok at 60) both got 0:1, although the first had committed it",
    ]);
  });
});
