// What the finder shows for what is typed, and in which order.
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type Item, matching, shownMax, together } from "../../src/web/data/finder.ts";

function item(kind: Item["kind"], title: string): Item {
  return { kind, title, address: `/ui/${kind}/${encodeURIComponent(title)}` };
}

const items = [
  item("page", "Overview"),
  item("action", "New stream"),
  item("stream", "orders"),
  item("topic", "orders / payments"),
  item("topic", "audit / orders"),
  item("topic", "audit / reorders"),
  item("user", "Order-Desk"),
];
const titles = (query: string) => matching(items, query).map(({ title }) => title);

describe("the finder", () => {
  test("shows pages and actions before anything is typed", () => {
    expect(titles("  ")).toEqual(["Overview", "New stream"]);
  });

  test("puts what begins with the text before what has it somewhere, and the short before the long", () => {
    expect(titles("ORDER")).toEqual([
      "orders",
      "Order-Desk",
      "orders / payments",
      "audit / orders",
      "audit / reorders",
    ]);
  });

  test("wants every word, wherever it is", () => {
    expect(titles("audit orders")).toEqual(["audit / orders", "audit / reorders"]);
    expect(titles("pay ord")).toEqual(["orders / payments"]);
    expect(titles("nothing")).toEqual([]);
  });

  test("shows no more than so many, each of which has the text", () => {
    const many = fc.array(fc.string({ minLength: 1, maxLength: 6, unit: fc.constantFrom("a", "b", " ", "/") }), {
      maxLength: 200,
    });
    fc.assert(
      fc.property(many, fc.constantFrom("a", "ab", "b a"), (names, query) => {
        const all = names.map((name) => item("topic", name));
        const found = matching(all, query);
        const words = query.split(" ");
        const expected = all.filter(({ title }) => words.every((word) => title.includes(word)));
        expect(found).toHaveLength(Math.min(expected.length, shownMax));
        expect(found.every((one) => expected.includes(one))).toBe(true);
      }),
    );
  });

  test("has everything once, however often it is loaded", () => {
    const both = together(items, [items[2]!, item("user", "ann")]);
    expect(both).toHaveLength(items.length + 1);
    expect(together(both, items)).toBe(both);
  });
});
