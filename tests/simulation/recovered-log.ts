/** The rules of recovery: what a reopened partition may return, must return, and must never return again. */
import { assert } from "../../src/platform/assert.ts";
import type { StoredMessage } from "./messages.ts";
import { type CrashKind, placeOf, type TrackedMessages } from "./tracked-messages.ts";

/** How a purge that had begun went on. */
export type Purging =
  | "none"
  /** Everything of before it is there, or nothing. */
  | "possible"
  /** It was decided before it began: nothing of before it is there. */
  | "decided";

export interface Recovered {
  /** Everything that the reopened partition returns, from its first message on. */
  readonly stored: readonly StoredMessage[];
  /** Offset of the next message. */
  readonly nextOffset: number;
  readonly damagedCount: number;
  readonly kind: CrashKind;
  readonly purging: Purging;
  /** Messages with smaller numbers were sent before the purge began. */
  readonly purgedBefore: number;
  /** Retention was under way: messages with smaller offsets may be gone. */
  readonly mayBeGoneBelow: number;
  /** Bits of the logs that changed at rest: each may damage one message. */
  readonly flippedCount: number;
}

/** The number of the message at each offset of a log. */
export type LogNumbers = readonly (number | undefined)[];

/** Throws where `recovered` breaks a rule. `before` is the log as it was known before. The log as it is known now. */
export function checkRecovered(
  tracked: TrackedMessages,
  before: LogNumbers,
  recovered: Recovered,
): (number | undefined)[] {
  const { stored, kind, purging, purgedBefore } = recovered;
  const log: (number | undefined)[] = [];
  const isOld = (number: number) => number < purgedBefore;
  const cameBack = stored.some(({ number }) => isOld(number));
  assert(purging !== "decided" || !cameBack, "nothing of before a purge that was decided comes back");
  let previous: StoredMessage | undefined;
  for (const message of stored) {
    checkPlace(tracked, before, recovered, log.length, message, previous);
    tracked.checkContent(message);
    while (log.length < message.offset) log.push(undefined);
    log.push(message.number);
    previous = message;
  }
  const firstOffset = stored[0]?.offset ?? recovered.nextOffset;
  const isPurged = purging !== "none" && !cameBack;
  let damagedLeft = recovered.flippedCount;
  for (const [number, { offset, safety, fate }] of tracked) {
    if (offset === undefined || !(fate === "live" || fate === "removed") || (isPurged && isOld(number))) continue;
    if (safety === "unsafe" || (safety === "killSafe" && kind === "power")) continue;
    if (log[offset] === number) continue;
    const isRemoved = fate === "removed" || offset < Math.min(recovered.mayBeGoneBelow, firstOffset);
    if (!isRemoved && before[offset] === number && damagedLeft-- > 0) continue;
    assert(recovered.nextOffset > offset, "the next offset is behind all that was acknowledged", {
      number,
      offset,
      nextOffset: recovered.nextOffset,
    });
    if (isRemoved) continue;
    assert(before[offset] !== number, "what was acknowledged is recovered", {
      offset,
      number,
      safety,
      kind,
      logEnd: before.length,
      recoveredEnd: log.length,
    });
  }
  return log;
}

function checkPlace(
  tracked: TrackedMessages,
  before: LogNumbers,
  { kind, purging, mayBeGoneBelow, flippedCount }: Recovered,
  nextOffset: number,
  message: StoredMessage,
  previous: StoredMessage | undefined,
): void {
  const { fate, offset, follows } = tracked.get(message.number);
  const isFirst = previous === undefined;
  assert(isFirst || message.number > previous.number, "messages come in the order of sending, once", placeOf(message));
  const mayLack = kind === "power" || flippedCount > 0;
  const isOldGap = message.offset > 0 && before[message.offset - 1] === undefined;
  const isRemoval = isFirst && (purging !== "none" || message.offset <= mayBeGoneBelow);
  assert(message.offset === nextOffset || mayLack || isOldGap || isRemoval, "recovered offsets are consecutive", {
    ...placeOf(message),
    previous: previous?.offset,
  });
  if (fate === "live" || (fate === "unknown" && before[message.offset] === message.number)) {
    assert(before[message.offset] === message.number, "a message stays at its offset", placeOf(message));
    return;
  }
  const mayBeBack = fate === "undone" || fate === "halfPurged" || fate === "removed";
  assert(
    fate === "unknown" || (mayBeBack && kind === "power"),
    "recovery returns nothing that was refused, purged or lost",
    { ...placeOf(message), fate },
  );
  assert(fate !== "removed" || offset === message.offset, "a message stays at its offset", placeOf(message));
  const isBehind = previous !== undefined && previous.number === follows && previous.offset === message.offset - 1;
  assert(
    follows === undefined || isBehind || fate === "removed" || (message.offset > nextOffset && mayLack),
    "a batch is recovered from its first message on",
    placeOf(message),
  );
}
