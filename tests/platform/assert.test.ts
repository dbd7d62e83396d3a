import { expect, test } from "bun:test";
import { AssertionError, assert, assertNever } from "../../src/platform/assert.ts";

test("a rule that holds says nothing", () => {
  expect(() => assert(true, "holds", { any: 1 })).not.toThrow();
});

test("a broken rule throws with its text and its context", () => {
  const cyclic: Record<string, unknown> = {};
  cyclic.self = cyclic;
  expect(() => assert(false, "an append continues where the partition ends")).toThrow(
    new AssertionError("an append continues where the partition ends"),
  );
  expect(() =>
    assert(false, "rule", { offset: 5, size: 2n ** 64n, name: "a", none: undefined, deep: { n: 1n } }),
  ).toThrow(new AssertionError('rule (offset=5, size=18446744073709551616, name="a", none=undefined, deep={"n":"1"})'));
  expect(() => assert(false, "rule", { cyclic })).toThrow(new AssertionError("rule (cyclic=[object Object])"));
});

test("assertNever names the value that should not be", () => {
  const value: unknown = { kind: "new" };
  expect(() => assertNever(value as never, "every kind is handled")).toThrow(
    new AssertionError('every kind is handled (value={"kind":"new"})'),
  );
});
