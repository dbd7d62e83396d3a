/** Reads of the storage simulation: while other calls are under way, and against the model when nothing is. */
import { assert } from "../../src/platform/assert.ts";
import { IggyError } from "../../src/protocol/errors.ts";
import type { ConsumerKey, ReadFrom, ReadResult } from "../../src/storage/types.ts";
import { consumerKeys } from "./offsets-model.ts";
import { type CompletedRead, complete, readNow } from "./partition-reader.ts";
import type { Place } from "./place.ts";

/** A read while appends wait for their answers; it may store where it ended, as a poll that commits does. */
export function readUnderWay(place: Place): void {
  const { simulation, isEncrypted } = place.machine;
  const from = randomFrom(place);
  const countMax = simulation.between(0, 60);
  const consumer = simulation.chance(30) ? simulation.pick(consumerKeys) : undefined;
  place.note(`read ${JSON.stringify(from)} ${countMax}${consumer === undefined ? "" : " and commit"}`);
  const answer = place.partition.read(from, countMax);
  const { generation } = place;
  const take = (result: ReadResult) => {
    if (generation !== place.generation || place.machine.stopped) return;
    try {
      takeRead(place, complete(result, countMax, isEncrypted), consumer);
    } catch (error) {
      fail(error);
    }
  };
  const fail = (error: unknown) => {
    if (generation !== place.generation || place.machine.isExpected(error)) return;
    place.unexpected ??= error;
  };
  if (answer instanceof Promise) answer.then(take, fail);
  else take(answer);
}

function takeRead(place: Place, read: CompletedRead, consumer: ConsumerKey | undefined): void {
  if (consumer === undefined || read.stored.length === 0) checkUnderWay(place, read);
  else commit(place, read, consumer);
  if (place.machine.simulation.chance(50)) place.held.push(read);
  else read.result.release();
}

function checkUnderWay(place: Place, { stored, result }: CompletedRead): void {
  // What a purge takes away meanwhile may still be on its way to the reader.
  if (result.epoch !== place.partition.epoch || place.purging !== "none") return;
  place.model.checkReadUnderWay(stored);
  place.model.becameVisible(stored);
}

/** The end of a poll that commits, as late as it comes. */
function commit(place: Place, read: CompletedRead, consumer: ConsumerKey): void {
  const { lastOffset, epoch } = read.result;
  if (place.isBroken || place.isClosing) return;
  place.note(`  commits ${lastOffset} for ${consumer.kind} ${consumer.id}`);
  const isOfNow = epoch === place.partition.epoch;
  if (consumer.kind === "group" && place.identity?.groupLogId(consumer.id) === null) return; // refused before it gets here
  if (isOfNow) place.offsets.changing(consumer, lastOffset);
  try {
    place.partition.storeOffset(consumer, lastOffset, epoch);
  } catch (error) {
    if (!isOfNow && error instanceof IggyError && error.errorName === "InvalidOffset") return;
    if (!place.noteFailure(error)) throw error;
    return;
  }
  assert(isOfNow, "an offset of what was purged is not stored", { lastOffset });
  checkUnderWay(place, read);
  place.offsets.changed(consumer, lastOffset);
}

/** A read against the model, which has been compared with everything before. */
export async function readSettled(place: Place): Promise<void> {
  const { simulation, isEncrypted } = place.machine;
  const from = randomFrom(place);
  const countMax = simulation.pick([0, 1, 10, simulation.between(0, 100)]);
  place.note(`read ${JSON.stringify(from)} ${countMax}, settled`);
  const read = await readNow(simulation, place.partition, from, countMax, isEncrypted);
  if (place.isBroken) return;
  const { model } = place;
  const currentOffset = model.hasGap ? read.result.currentOffset : Math.max(model.nextOffset - 1, 0);
  assert(read.result.currentOffset === currentOffset, "a read tells the current offset", {
    got: read.result.currentOffset,
    currentOffset,
  });
  const wanted = model.offsetsFrom(startOf(place, from, countMax, currentOffset)).slice(0, countMax);
  model.checkSettledRead(read.stored, wanted);
  model.becameVisible(read.stored);
  place.held.push(read);
}

function startOf({ model, offsets }: Place, from: ReadFrom, countMax: number, currentOffset: number): number {
  switch (from.kind) {
    case "offset":
      return from.offset;
    case "first":
      return 0;
    case "last":
      return currentOffset + 1 - countMax;
    case "next":
      return (offsets.get(from.consumer) ?? -1) + 1;
    case "timestamp": {
      const later = model.offsetsFrom(0).find((offset) => model.timestampAt(offset)! >= from.timestampMicros);
      return later ?? model.nextOffset;
    }
  }
}

function randomFrom(place: Place): ReadFrom {
  const { simulation } = place.machine;
  switch (simulation.pick(["offset", "offset", "timestamp", "first", "last", "next"] as const)) {
    case "offset":
      return { kind: "offset", offset: simulation.between(0, place.model.nextOffset + 3) };
    case "timestamp":
      return { kind: "timestamp", timestampMicros: randomTimestamp(place) };
    case "first":
      return { kind: "first" };
    case "last":
      return { kind: "last" };
    case "next":
      return { kind: "next", consumer: simulation.pick(consumerKeys) };
  }
}

function randomTimestamp({ model, machine }: Place): number {
  const offset = machine.simulation.between(0, Math.max(model.nextOffset - 1, 0));
  const known = model.timestampAt(offset);
  return known === undefined ? machine.clock.nowMicros() : known + machine.simulation.between(-1, 1);
}
