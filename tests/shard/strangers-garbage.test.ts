// When a shard collects what strangers leave behind.
import { expect, test } from "bun:test";
import { garbageMax, ofConnection, StrangersGarbage } from "../../src/process/strangers-garbage.ts";
import { Statistics } from "../../src/shard/index.ts";

function watched() {
  const statistics = new Statistics();
  let collections = 0;
  const garbage = new StrangersGarbage(statistics, () => collections++);
  return { statistics, garbage, collections: () => collections };
}

test("is collected once for as many refused logins as make some MB, and again after as many more", () => {
  const { statistics, garbage, collections } = watched();
  statistics.add("refusedLogins", garbageMax - 1);
  garbage.look();
  expect(collections()).toBe(0);
  statistics.add("refusedLogins");
  garbage.look();
  garbage.look();
  expect(collections()).toBe(1);
  statistics.add("refusedLogins", garbageMax - 1);
  garbage.look();
  expect(collections()).toBe(1);
  statistics.add("refusedLogins");
  garbage.look();
  expect(collections()).toBe(2);
});

test("counts a connection, refused or closed, for more than a login; other events for nothing", () => {
  const { statistics, garbage, collections } = watched();
  const half = garbageMax / ofConnection / 2;
  statistics.add("refusedWrites", 10 * garbageMax);
  statistics.add("refusedConnections", half);
  statistics.add("closedBeforeLogin", half - 1);
  garbage.look();
  expect(collections()).toBe(0);
  statistics.add("closedBeforeLogin");
  garbage.look();
  expect(collections()).toBe(1);
});

test("without a word about how, collecting frees what nothing refers to", async () => {
  const statistics = new Statistics();
  const garbage = new StrangersGarbage(statistics);
  let freedCount = 0;
  const registry = new FinalizationRegistry(() => freedCount++);
  const leave = () => {
    for (let index = 0; index < 100; index++) registry.register({ index }, index);
  };
  leave();
  // What is on the stack may keep a few; a collection by itself is not due for so little.
  for (let tries = 0; freedCount < 50 && tries < 200; tries++) {
    statistics.add("refusedLogins", garbageMax);
    garbage.look();
    await Bun.sleep(20);
  }
  expect(freedCount).toBeGreaterThanOrEqual(50);
});
