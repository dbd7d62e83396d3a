import { expect, test } from "bun:test";
import fc from "fast-check";
import { apply } from "../../src/metadata/apply.ts";
import { isLogged, type MetadataEvent } from "../../src/metadata/events.ts";
import { scanEntries } from "../../src/metadata/log-entries.ts";
import { createState } from "../../src/metadata/state.ts";
import { eventsOf, play, type Step, startMicros, stepsArbitrary } from "./everything.ts";
import { openLog } from "./log-support.ts";
import { diskWith, filesOf, newDisk, textOf } from "./support.ts";

test("any commands: names stay unique, every partition has one owner, and a replica follows", () => {
  fc.assert(
    fc.property(stepsArbitrary, (steps) => {
      const state = createState();
      const events: MetadataEvent[] = [];
      play(state, steps, (event) => events.push(event));
      const replica = createState();
      for (const event of events) apply(replica, structuredClone(event));
      expect(replica).toEqual(state);
      expect(structuredClone(state)).toEqual(state);
    }),
    { numRuns: 200 },
  );
});

test("the commands meet: every kind of event comes about, but topic updates, which are not among them", () => {
  const seen = new Set<string>();
  for (const steps of fc.sample(stepsArbitrary, { numRuns: 400, seed: 5 })) {
    play(createState(), steps, (event) => seen.add(event.kind));
  }
  expect(seen.size).toBe(23);
});

test("planning changes nothing", () => {
  fc.assert(
    fc.property(stepsArbitrary, (steps) => {
      const state = createState();
      play(state, steps, () => {});
      const before = structuredClone(state);
      for (const step of steps) eventsOf(state, step, startMicros);
      expect(state).toEqual(before);
    }),
    { numRuns: 50 },
  );
});

/** Texts of the state before each logged event and after the last, and the log's files. */
function logged(steps: readonly Step[], snapshotEveryEntries: number) {
  const disk = newDisk();
  const { log } = openLog(disk, { snapshotEveryEntries });
  const texts = [textOf(log.state)];
  for (const [number, step] of steps.entries()) {
    for (const event of eventsOf(log.state, step, startMicros + number)) {
      if (isLogged(event)) {
        log.append(event);
        texts.push(textOf(log.state));
      } else {
        log.applyUnlogged(event);
        expect(textOf(log.state)).toBe(texts.at(-1)!);
      }
    }
  }
  log.close();
  return { texts, files: filesOf(disk) };
}

test("any commands: log, snapshot plus rest, and a log with a torn end give the state as written, without members", () => {
  fc.assert(
    fc.property(stepsArbitrary, fc.constantFrom(1000, 7), fc.nat(), (steps, snapshotEveryEntries, cut) => {
      const { texts, files } = logged(steps, snapshotEveryEntries);
      const opened = openLog(diskWith(files));
      expect(textOf(opened.state)).toBe(texts.at(-1)!);
      expect(opened.repairs).toEqual([]);
      expect(opened.state.groupsByClient.size).toBe(0);

      const bytes = files["metadata.log"];
      if (bytes === undefined || bytes.byteLength === 0) return;
      const last = scanEntries(bytes).entries.at(-1)!;
      const end = last.position + (cut % ((last.end - last.position) / 2)); // inside its first copy
      const torn = openLog(diskWith({ ...files, "metadata.log": bytes.slice(0, end) }));
      expect(textOf(torn.state)).toBe(texts.at(-2)!);
      expect(torn.repairs.length).toBe(end > last.position ? 1 : 0);
    }),
    { numRuns: 60 },
  );
});

test("the log takes what is to survive a restart, and nothing else", () => {
  const { log, state } = openLog(newDisk());
  const key = { streamId: 0, topicId: 0, groupId: 0 };
  const joined: MetadataEvent = {
    kind: "groupMemberJoined",
    ...key,
    clientId: 1,
    goneClientIds: [],
    joinedAtMicros: 1,
  };
  const created: MetadataEvent = { kind: "streamCreated", streamId: 0, name: "orders", createdAtMicros: 1 };
  expect(() => log.append(joined)).toThrow("what goes into the log is to survive a restart");
  expect(() => log.applyUnlogged(created)).toThrow("what survives a restart is logged");
  expect(() => log.applyUnlogged(joined)).toThrow("an event names an id that exists");
  expect(state).toEqual(createState());
  expect(log.lastIndex).toBe(0);
});
