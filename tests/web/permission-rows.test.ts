// Rights as rows: what is ticked is what is given, and nothing else changes.
import { expect, test } from "bun:test";
import fc from "fast-check";
import { isPermitted, operations } from "../../src/protocol/permissions.ts";
import { globalFlags, type Permissions, streamFlags, topicFlags } from "../../src/protocol/records/permissions.ts";
import {
  compactPermissions,
  differencesOf,
  noPermissions,
  type Right,
  rightForTask,
  rightKey,
  rightsOf,
  withEntry,
  withRight,
} from "../../src/web/data/permission-rows.ts";

const id = fc.nat({ max: 3 });
const right: fc.Arbitrary<Right> = fc.oneof(
  fc.record({ flag: fc.constantFrom(...globalFlags) }),
  fc.record({ flag: fc.constantFrom(...streamFlags), streamId: id }),
  fc.record({ flag: fc.constantFrom(...topicFlags), streamId: id, topicId: id }),
);
const rights = fc.uniqueArray(right, { selector: rightKey, maxLength: 20 });

function permissionsOf(given: readonly Right[]): Permissions {
  return given.reduce((permissions, one) => withRight(permissions, one, true), noPermissions);
}

test("the rights that are ticked are those that are given, whatever the order", () => {
  fc.assert(
    fc.property(rights, (given) => {
      const permissions = permissionsOf(given);
      expect(rightsOf(permissions).map(rightKey).sort()).toEqual(given.map(rightKey).sort());
      expect(permissionsOf(given.toReversed())).toEqual(permissions);
      const streams = permissions.streams.map(({ streamId }) => streamId);
      expect(streams).toEqual(streams.toSorted((left, other) => left - other));
    }),
  );
});

test("a right that is taken away again leaves the others, and differences are what was ticked", () => {
  fc.assert(
    fc.property(rights, right, (given, one) => {
      const before = permissionsOf(given.filter((other) => rightKey(other) !== rightKey(one)));
      const after = withRight(before, one, true);
      expect(differencesOf(before, after)).toEqual({ given: [one], taken: [] });
      expect(differencesOf(after, before)).toEqual({ given: [], taken: [one] });
      expect(differencesOf(before, withRight(after, one, false))).toEqual({ given: [], taken: [] });
    }),
  );
});

test("entries that give nothing are not saved, and adding one changes no right", () => {
  expect(compactPermissions(withEntry(noPermissions, 1, 2))).toBeUndefined();
  fc.assert(
    fc.property(rights, id, fc.option(id, { nil: undefined }), (given, streamId, topicId) => {
      const before = permissionsOf(given);
      const after = withEntry(before, streamId, topicId);
      expect(after.streams.some((stream) => stream.streamId === streamId)).toBe(true);
      expect(withEntry(after, streamId, topicId)).toEqual(after);
      expect(compactPermissions(after)).toEqual(compactPermissions(before));
    }),
  );
});

test.each([
  ["read", ["getTopic", "consumerGroup", "pollMessages"]],
  ["poll", ["pollMessages"]],
  ["send", ["sendMessages"]],
] as const)("the task %s allows what it says, on its topic only", (task, expected) => {
  const permissions = withRight(noPermissions, rightForTask(task, 3, 7), true);
  const allowed = (streamId: number, topicId: number) =>
    operations.filter((operation) => isPermitted(permissions, operation, streamId, topicId));
  expect(allowed(3, 7).sort()).toEqual([...expected].sort());
  expect([...allowed(3, 6), ...allowed(2, 7)]).toEqual([]);
});
