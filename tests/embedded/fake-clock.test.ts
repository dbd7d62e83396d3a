// Time that passes when a test says so.
import { expect, test } from "bun:test";
import { FakeClock } from "../../src/embedded/fake-clock.ts";

const calm = () => new Promise<void>((resolve) => setImmediate(resolve));

test("calls what falls due in the order of its times, then of its setting, and what that sets in turn", async () => {
  const clock = new FakeClock(0, calm);
  const { after, every } = clock.scope();
  const calls: string[] = [];
  const note = (name: string) => () => void calls.push(`${name} at ${clock.nowMicros() / 1000}`);
  after(20, note("late"));
  after(10, note("first"));
  after(10, () => {
    note("second")();
    after(5, note("third"));
  });
  every(8, note("again"));
  after(31, note("never"));
  await clock.advance(30);
  expect(calls).toEqual([
    "again at 8",
    "first at 10",
    "second at 10",
    "third at 15",
    "again at 16",
    "late at 20",
    "again at 24",
  ]);
  expect(clock.nowMicros()).toBe(30_000);
});

test("what needs no time is called without any, what is taken back never", async () => {
  const clock = new FakeClock(1_000, calm);
  const scope = clock.scope();
  const calls: string[] = [];
  scope.after(0, () => calls.push("now"));
  scope.after(0, () => calls.push("taken back"))();
  await calm();
  await calm();
  expect(calls).toEqual(["now"]);
  scope.after(1, () => calls.push("of a scope that is over"));
  scope.every(1, () => calls.push("of a scope that is over"));
  scope.end();
  scope.after(1, () => calls.push("too late"));
  await clock.advance(10);
  expect(calls).toEqual(["now"]);
});

test("two who make time pass do so one after the other", async () => {
  const clock = new FakeClock(0, calm);
  const times: number[] = [];
  clock.scope().every(10, () => times.push(clock.nowMicros() / 1000));
  await Promise.all([clock.advance(25), clock.advance(25)]);
  expect(times).toEqual([10, 20, 30, 40, 50]);
  expect(clock.nowMicros()).toBe(50_000);
});
