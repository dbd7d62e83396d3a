// What is loaded when it is first needed: once for all who ask, and a failure for a moment is not one for ever.
import { expect, test } from "bun:test";
import { LoadedLater } from "../../src/transport/http/loaded-later.ts";

/** Fails so often, then gives the number of the attempt. */
function flaky(failures: number) {
  let attempt = 0;
  return new LoadedLater(async () => {
    attempt++;
    if (attempt <= failures) throw new Error(`no descriptor is left, attempt ${attempt}`);
    return attempt;
  });
}

test("it is loaded once, for all who ask at the same time and later", async () => {
  const loaded = flaky(0);
  expect(await Promise.all([loaded.get(), loaded.get()])).toEqual([1, 1]);
  expect(await loaded.get()).toBe(1);
});

test("a failure for a moment is not seen", async () => {
  expect(await flaky(2).get()).toBe(3);
});

test("a lasting failure is told, and who asks then begins anew", async () => {
  const loaded = flaky(21);
  const failed = await loaded.get().catch((error: unknown) => error);
  expect(String(failed)).toContain("attempt 20");
  expect(await loaded.get()).toBe(22);
});
