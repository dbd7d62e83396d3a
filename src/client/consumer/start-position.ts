// Where a program wants to begin, looked at before anything is loaded or sent.

import type { ConsumerOptions, Position, StartPosition } from "./options.ts";

/** Throws a TypeError for what is no position. */
export function checkStart(start: StartPosition): void {
  if (start === "first" || start === "new") return;
  if (typeof start === "object" && "offset" in start && Number.isSafeInteger(start.offset) && start.offset >= 0) return;
  if (typeof start === "object" && "timestamp" in start && !Number.isNaN(start.timestamp.getTime())) return;
  throw new TypeError('a position is "first", "new", { offset } with a whole number, or { timestamp } with a date');
}

/** What the program gave: a place for all partitions, and places of some. */
export function splitFrom(from: StartPosition | Position = "first"): {
  readonly start: StartPosition;
  readonly position: Position;
} {
  if (typeof from === "string") return { start: from, position: {} };
  if ("offset" in from) return { start: from as StartPosition, position: {} };
  if ("timestamp" in from) return { start: from as StartPosition, position: {} };
  return { start: "first", position: from };
}

/** TypeError for offsets that are none. */
export function checkPosition(position: Position): void {
  for (const [partitionId, offset] of Object.entries(position)) {
    const isSound = /^\d+$/.test(partitionId) && Number.isSafeInteger(offset) && offset >= 0;
    if (!isSound) throw new TypeError("a position has an offset, a whole number, for each number of a partition");
  }
}

/** Of its group, or its own. TypeError where there is none: JavaScript may give what the type does not allow. */
export function consumerNameOf(options: ConsumerOptions): string {
  const name: unknown = "group" in options ? options.group : options.name;
  if (typeof name === "string") return name;
  throw new TypeError("a consumer needs `group` or `name`");
}
