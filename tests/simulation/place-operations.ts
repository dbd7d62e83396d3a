/** What clients and the broker do with a partition of the storage simulation, besides sends and reads. */
import { assert } from "../../src/platform/assert.ts";
import { freePath } from "../../src/platform/disk.ts";
import { IggyError } from "../../src/protocol/errors.ts";
import type { ConsumerKey } from "../../src/storage/types.ts";
import { consumerKeys } from "./offsets-model.ts";
import { settled } from "./partition-reader.ts";
import type { Place } from "./place.ts";

export async function changeOffset(place: Place): Promise<void> {
  const { offsets, partition, machine } = place;
  const { simulation } = machine;
  const key = simulation.pick(consumerKeys);
  const { visibleEnd } = place;
  const isStore = simulation.chance(75);
  const value = isStore ? simulation.between(0, Math.max(visibleEnd, 0) + 1) : undefined;
  place.note(`offset of ${key.kind} ${key.id} becomes ${value}`);
  const expected = expectedRefusal(place, key, value);
  if (expected === undefined) offsets.changing(key, value);
  try {
    if (value === undefined) partition.deleteOffset(key);
    else partition.storeOffset(key, value);
  } catch (error) {
    if (error instanceof IggyError && error.errorName === expected) return;
    if (!place.noteFailure(error)) throw error;
    place.note(`  failed: ${String(error)}`);
    return; // in doubt until the next recovery
  }
  assert(expected === undefined, "a wrong offset operation fails", { expected, value, visibleEnd });
  offsets.changed(key, value);
  assert(partition.getOffset(key) === value, "a stored offset is found");
  const durable = partition.offsetsDurable();
  assert((durable !== undefined) === place.persistsOffsets, "who is to wait for an offset is told");
  if (durable === undefined) return;
  const covered = offsets.syncing();
  await place.attempt(async () => {
    await settled(simulation, durable);
    offsets.synced(covered);
  });
}

function expectedRefusal(
  { offsets, visibleEnd, identity, purging }: Place,
  key: ConsumerKey,
  value: number | undefined,
) {
  const known = offsets.get(key);
  if (value === undefined) return known === undefined ? "ConsumerOffsetNotFound" : undefined;
  if (purging === "decided") return "CannotWriteToFile"; // it would go with the log that has ended
  if (value > visibleEnd) return "InvalidOffset";
  const isGone = key.kind === "group" && identity?.groupLogId(key.id) === null;
  return isGone && known === undefined ? "ConsumerGroupIdNotFound" : undefined;
}

/** A group is deleted, or one with its number is made. */
export function changeGroup(place: Place): void {
  const { offsets, partition, identity, machine } = place;
  const key = machine.simulation.pick(consumerKeys.filter(({ kind }) => kind === "group"));
  if (identity?.groupLogId(key.id) === null) {
    place.note(`group ${key.id} is made`);
    identity.createGroup(key.id);
    assert(partition.getOffset(key) === undefined, "a new group begins without an offset");
    return;
  }
  place.note(`group ${key.id} is deleted`);
  identity?.deleteGroup(key.id);
  // Without a log id nobody can tell a file that an earlier deletion could not remove, and this one does not look for it.
  if (identity === undefined && partition.getOffset(key) === undefined) return;
  offsets.changing(key, undefined);
  let hasFailed = false;
  try {
    partition.deleteGroupOffsets(key.id);
  } catch (error) {
    if (!place.noteFailure(error)) throw error;
    place.note(`  failed: ${String(error)}`);
    hasFailed = true;
  }
  assert(partition.getOffset(key) === undefined, "the offset of a group that is deleted is gone, whatever fails");
  if (identity !== undefined) offsets.ended(key);
  else offsets.changed(key, undefined, hasFailed);
}

export async function flush(place: Place): Promise<void> {
  const { machine, model, offsets, partition } = place;
  if (place.purging !== "none") return; // it is closed, or wants to be
  const kind = machine.simulation.pick(["flush", "fsync", "save"] as const);
  place.note(kind);
  const covered = model.answeredNow();
  const coveredOffsets = offsets.syncing();
  const { enforceFsync } = machine.options;
  const durable = kind === "fsync" || (kind === "save" && (enforceFsync || place.level === "sync"));
  await place.attempt(async () => {
    await settled(machine.simulation, kind === "save" ? partition.save() : partition.flush(kind === "fsync"));
    model.becameSafe(covered, durable ? "powerSafe" : "killSafe");
    if (durable) offsets.synced(coveredOffsets);
  });
}

/** With or without appends that come while it waits. */
export async function purge(place: Place): Promise<void> {
  const { machine, model, offsets, partition, identity } = place;
  const { simulation } = machine;
  if (simulation.chance(60)) await simulation.run();
  if (place.isBroken) return;
  place.note("purge");
  const newLogId = identity?.startLog();
  model.purgeBegan();
  place.purging = identity === undefined ? "possible" : "decided";
  const { epoch } = partition;
  const purging = partition.purge(newLogId);
  if (simulation.chance(40)) place.append();
  const isDone = await place.attempt(() => settled(simulation, purging));
  if (partition.epoch === epoch) {
    if (!machine.stopped) await changeOffset(place); // refused, where the log has ended
    return;
  }
  if (machine.stopped) {
    model.purgeBegan(); // what was sent while it waited went as well
    return;
  }
  // It has taken place, whatever failed afterwards; only where nobody can ask whose the files are, they may come back.
  place.purging = "none";
  const isDurable = isDone || identity !== undefined;
  model.purged(place.visibleEnd, isDurable);
  for (const key of consumerKeys) {
    if (isDurable) offsets.ended(key);
    else {
      offsets.changing(key, undefined);
      offsets.changed(key, undefined);
    }
  }
  place.settle();
}

/** Some of the oldest segments go, whatever else is under way. */
export async function removeOldest(place: Place): Promise<void> {
  const { machine, partition } = place;
  if (place.isBroken) return;
  const countMax = machine.simulation.between(1, 3);
  await retain(place, readableEnd(place), () => partition.removeOldestSegments(countMax));
}

/** What is too old goes. */
export async function removeExpired(place: Place): Promise<void> {
  const { machine, model, partition } = place;
  const { simulation, clock } = machine;
  await simulation.run();
  place.settle();
  if (place.isBroken) return;
  // Times are known afterwards.
  const isCompared = await place.attempt(() => place.compareWhole());
  if (!isCompared || place.isBroken) return;
  const expiryMicros = simulation.pick([0, 500, 5000, 3_600_000_000]);
  const latest = clock.nowMicros() + 1000;
  // The age of what is dated ahead by more than a minute is that since it was seen: no time passes for it here.
  const ageOf = (timestampMicros: number) => (timestampMicros > latest + 60e6 ? 0 : latest - timestampMicros);
  const tooYoung = model.offsetsFrom(0).find((offset) => ageOf(model.timestampAt(offset)!) < expiryMicros);
  const below = Math.min(readableEnd(place), tooYoung ?? Number.POSITIVE_INFINITY);
  await retain(place, below, () => partition.removeExpiredSegments(expiryMicros));
}

/** Offset behind all that every consumer with a stored offset has read, and that readers may see. */
function readableEnd({ offsets, visibleEnd }: Place): number {
  return Math.min(offsets.smallest ?? Number.POSITIVE_INFINITY, visibleEnd) + 1;
}

async function retain(place: Place, below: number, work: () => number): Promise<void> {
  const { counters } = place.partition;
  place.model.mayRemoveBelow(below);
  const before = counters.segmentsCount;
  await place.attempt(() => {
    const count = work();
    place.note(`retention removed ${count} of ${before} segments, below ${below}`);
    assert(before - counters.segmentsCount === count, "retention says what it removed", { count, before });
  });
}

/** The topic is deleted and another one made in its place; what of the files could not be removed stays. */
export async function recreate(place: Place): Promise<void> {
  const { machine, model, offsets, identity } = place;
  const { disk, simulation } = machine;
  await simulation.run();
  if (place.isBroken || identity === undefined) return;
  place.settle();
  place.note("deleted and made again");
  identity.startLog();
  place.purging = "decided"; // until it is open again
  model.purgeBegan();
  place.partition.abandon();
  const isLeft = !disk.exists(place.directory) || simulation.chance(30);
  if (!isLeft) {
    const isDone = await place.attempt(() => {
      disk.makeDirectory("/data/.removed");
      disk.rename(place.directory, freePath(disk, `/data/.removed/${model.sentCount}`));
      disk.syncDirectory("/data/.removed");
    });
    if (machine.stopped) return;
    if (!isDone) place.note("  its files stay");
  }
  const isOpen = await place.attempt(() => {
    place.partition = place.open();
  });
  if (!isOpen) return;
  assert(place.visibleEnd === -1, "a new partition is empty");
  place.purging = "none";
  model.recreated();
  for (const key of consumerKeys) offsets.ended(key);
  place.appendFirst();
}
