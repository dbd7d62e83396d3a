// Why a group is behind: one cause for each state of a group, and how long it takes.
import { describe, expect, test } from "bun:test";
import type { GroupLag, LagPartition } from "../../src/client/console-client.ts";
import { diagnose, type Verdict } from "../../src/web/groups/verdict.ts";
import { ago, headline, remarkText, verdictText } from "../../src/web/words/verdicts.ts";

const startMicros = 1_795_000_000_000_000n;
const member = { clientId: 17, partitions: [0, 1], user: "ann", address: "10.0.0.7:5123" };

type Given = Partial<Omit<LagPartition, "id">> & { readonly committedSecondsAgo?: number };

/** `seconds`: since the first sample. */
function sample(seconds: number, partitions: readonly Given[], members: GroupLag["members"] = [member]): GroupLag {
  const at = startMicros + BigInt(seconds) * 1_000_000n;
  return {
    at: String(at),
    members,
    more: 0,
    partitions: partitions.map(({ committedSecondsAgo, ...given }, id) => {
      const { first = "0", end = "0", stored } = given;
      const next = stored === undefined ? BigInt(first) : BigInt(stored) + 1n;
      const behind = BigInt(end) - (next < BigInt(first) ? BigInt(first) : next);
      const lag = String(behind < 0n ? 0n : behind);
      return {
        ...{ id, first, end, lag, ...given },
        ...(committedSecondsAgo === undefined
          ? {}
          : { committedAt: String(at - BigInt(committedSecondsAgo) * 1_000_000n) }),
      };
    }),
  };
}

function verdictOf(...samples: readonly GroupLag[]): Verdict {
  return diagnose(samples).verdict;
}

describe("a verdict", () => {
  test("of what is read is that there is nothing to do", () => {
    expect(verdictOf(sample(0, [{}, {}], []))).toEqual({ code: "empty" });
    expect(verdictOf(sample(0, [{ end: "10", stored: "9" }], []))).toEqual({ code: "upToDate" });
  });

  test("without members is that nobody reads", () => {
    expect(verdictOf(sample(0, [{ end: "10", stored: "3" }], []))).toEqual({ code: "noMembers" });
    const other = { ...member, partitions: [1] };
    expect(verdictOf(sample(0, [{ end: "10" }, { end: "4" }], [other]))).toEqual({ code: "uncovered", partition: 0 });
  });

  test("of more stored than there is is that", () => {
    expect(
      verdictOf(
        sample(0, [
          { end: "10", stored: "9" },
          { end: "10", stored: "10" },
        ]),
      ),
    ).toEqual({
      code: "ahead",
      partition: 1,
    });
  });

  test("waits until it has seen the members for a while", () => {
    const place = { end: "10", stored: "3" };
    expect(verdictOf(sample(0, [place]), sample(2, [place]))).toEqual({ code: "measuring" });
    expect(verdictOf(sample(0, [{ ...place, committedSecondsAgo: 1 }]))).toEqual({ code: "measuring" });
  });

  test("of members that ask for nothing is that, with their last commit", () => {
    const place = { end: "10", stored: "3" };
    expect(verdictOf(sample(0, [place]), sample(4, [place]))).toEqual({ code: "idle", committedAt: undefined });
    const committed = { ...place, committedSecondsAgo: 60 };
    const idle = verdictOf(sample(0, [place]), sample(4, [committed]));
    expect(idle).toEqual({ code: "idle", committedAt: startMicros - 56_000_000n });
  });

  test("of members that were sent messages is that they do not commit", () => {
    const never = [{ end: "10", polled: "9" }, { end: "5" }];
    expect(verdictOf(sample(0, never), sample(4, never))).toEqual({ code: "neverCommitted", partitions: 1 });
    const sent = [{ end: "10", stored: "3", polled: "7" }];
    expect(verdictOf(sample(0, sent), sample(4, sent))).toEqual({ code: "uncommitted", sent: 4n });
  });

  test("of one partition that stands still names it and its member", () => {
    const before = [
      { end: "100", stored: "10" },
      { end: "100", stored: "20", polled: "30" },
    ];
    const after = [
      { end: "100", stored: "60" },
      { end: "100", stored: "20", polled: "30" },
    ];
    expect(verdictOf(sample(0, before), sample(4, after))).toEqual({
      ...{ code: "stuck", partition: 1, member, committedAt: undefined, isSent: true },
    });
  });

  test.each([
    ["growing", 1000, 100, { code: "growing" }],
    ["slow", 1000, 1000, { code: "slow", seconds: undefined }],
    ["catching up", 100, 600, { code: "catchingUp", seconds: 90_000 / 500 }],
    ["slow, for more than a day", 0, 1, { code: "slow", seconds: 99_990 }],
  ])("is %s where %d arrive and %d are committed a second", (_, arrive, commit, verdict) => {
    const end = 200_000 + 10 * arrive;
    const stored = end - 1 - (verdict.code === "catchingUp" ? 90_000 : 99_990);
    const samples = [
      sample(0, [{ end: String(200_000), stored: String(stored - 10 * commit) }]),
      sample(10, [{ end: String(end), stored: String(stored) }]),
    ];
    expect(diagnose(samples)).toMatchObject({ verdict, inRate: arrive, outRate: commit });
  });

  test("looks at the last half minute only", () => {
    const samples = [
      sample(0, [{ end: "1000000", stored: "0" }]),
      sample(100, [{ end: "1000000", stored: "500000" }]),
      sample(110, [{ end: "1000000", stored: "501000" }]),
    ];
    expect(diagnose(samples)).toMatchObject({ outRate: 100 });
  });

  test("comes with what else is so", () => {
    const samples = [
      sample(0, [
        { first: "50", end: "1000", stored: "9" },
        { end: "20", stored: "9" },
      ]),
    ];
    const { remarks, lag } = diagnose(samples);
    expect(lag).toBe(960n);
    expect(remarks).toMatchObject([
      { code: "lost", partition: 0, messages: 40n },
      { code: "skewed", partition: 0, percent: 98, member },
    ]);
    expect(remarks.map(remarkText)).toEqual([
      "Retention has removed 40 messages of partition 0 that the group had not read.",
      "98 % of it is in partition 0, which one member reads alone (client 17, ann, 10.0.0.7:5123).",
    ]);
  });
});

test("sentences say how far, why, and for how long", () => {
  const before = sample(0, [{ end: "84000", stored: "0" }]);
  const last = sample(10, [{ end: "93120", stored: "8999", unreadSince: String(startMicros - 830_000_000n) }]);
  const diagnosis = diagnose([before, last]);
  expect(headline(diagnosis, BigInt(last.at))).toBe("Behind by 84,120 messages, the oldest from 14 min ago.");
  expect(verdictText(diagnosis, BigInt(last.at))).toBe(
    "It reads 900/s, 912/s arrive: it stays as far behind as it is.",
  );
  expect(ago(5n, 1n)).toBe("less than a second"); // the clocks of two machines differ
});
