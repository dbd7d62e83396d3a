/**
 * One run of the storage simulation: a partition on a simulated disk beside its model, random operations on both, and a
 * comparison wherever there is something to compare.
 */
import { assert } from "../../src/platform/assert.ts";
import { DiskError } from "../../src/platform/disk.ts";
import { IggyError } from "../../src/protocol/errors.ts";
import { Partition } from "../../src/storage/partition.ts";
import type {
  Acknowledge,
  PartitionCounters,
  ReadFrom,
  StorageContext,
  StorageOptions,
} from "../../src/storage/types.ts";
import { batchOf } from "./messages.ts";
import { type CrashKind, PartitionModel, type SentBatch } from "./model.ts";
import { consumerKeys, OffsetsModel } from "./offsets-model.ts";
import {
  type CompletedRead,
  complete,
  readNow,
  readWhole,
  requireSameParts,
  settled,
  type WholePartition,
} from "./partition-reader.ts";
import type { Trace } from "./seeds.ts";
import { SimDisk } from "./sim-disk.ts";
import type { Simulation } from "./simulation.ts";
import { createSimContext, randomOptions, SimClock } from "./storage-setup.ts";

const DIRECTORY = "/data/streams/1/topics/2/partitions/0";

export class StorageWorld {
  readonly #simulation: Simulation;
  readonly #trace: Trace;
  readonly #options: StorageOptions;
  readonly #clock: SimClock;
  readonly #model: PartitionModel;
  readonly #offsets = new OffsetsModel();
  readonly #held: CompletedRead[] = [];
  #disk: SimDisk;
  #context: StorageContext;
  #partition: Partition;
  #reported: PartitionCounters | undefined;
  /** A fault was asked of the disk since the partition was opened: appends and flushes may fail. */
  #faultsPossible = false;
  #somethingFailed = false;
  #isPurging = false;
  /** First message of each opening: if the clock stepped back meanwhile and the last segment is empty, its time may be older. */
  readonly #firstNumbers = new Set<number>();
  /** Counts openings, so that what an earlier partition still answers is not taken for this one's. */
  #generation = 0;

  constructor(simulation: Simulation, trace: Trace, level: Acknowledge) {
    this.#simulation = simulation;
    this.#trace = trace;
    const hasLargeMessages = simulation.chance(6);
    this.#options = randomOptions(simulation, level, hasLargeMessages);
    trace.add(JSON.stringify(this.#options));
    this.#clock = new SimClock(simulation);
    this.#model = new PartitionModel(level, hasLargeMessages);
    this.#disk = new SimDisk(simulation);
    this.#disk.makeDirectory("/data");
    this.#disk.syncDirectory("/");
    this.#context = createSimContext(this.#disk, this.#clock, this.#options, trace);
    this.#partition = this.#open();
  }

  async run(operationsCount: number): Promise<void> {
    for (let operation = 0; operation < operationsCount; operation++) {
      try {
        await this.#operate();
      } catch (error) {
        // A machine that stopped fails every call, and whatever was under way is not known to have happened.
        if (!this.#disk.stopped) throw error;
      }
      if (this.#unexpected !== undefined) throw this.#unexpected;
      if (this.#disk.stopped) await this.#crash(this.#simulation.pick(["power", "kill"]));
      else if (this.#somethingFailed || this.#partition.isFenced) await this.#afterFailure();
    }
    await this.#closeAndOpen();
    if (this.#disk.stopped) await this.#crash("kill");
    await this.#crash("power");
  }

  async #operate(): Promise<void> {
    const dice = this.#simulation.between(0, 999);
    if (dice < 400) this.#append();
    else if (dice < 520) await this.#simulation.runSome(this.#simulation.between(0, 3));
    else if (dice < 620) this.#readUnderWay();
    else if (dice < 720) await this.#readSettled();
    else if (dice < 790) this.#changeOffset();
    else if (dice < 840) await this.#flush();
    else if (dice < 860) await this.#compareWhole();
    else if (dice < 870) await this.#purge();
    else if (dice < 900) await this.#closeAndOpen();
    else if (dice < 925) await this.#crash("power");
    else if (dice < 950) await this.#crash("kill");
    else if (dice < 970) {
      const count = this.#simulation.between(0, 15);
      this.#trace.add(`the machine will stop after ${count} changes`);
      this.#disk.stopAfter(count);
    } else this.#addFault();
  }

  #append(): void {
    const batch = this.#model.sending(this.#simulation);
    const name = `append ${batch.messages[0]!.number}..${batch.messages.at(-1)!.number}`;
    this.#trace.add(name);
    const generation = this.#generation;
    const answered = (answer: SentBatch["answer"], note: string) => {
      if (generation !== this.#generation) return;
      this.#trace.add(`  ${name} ${answer} ${note}`);
      batch.answer = answer;
    };
    this.#partition.append(batchOf(batch.messages, this.#simulation)).then(
      () => answered("acknowledged", ""),
      (error: unknown) => {
        answered(this.#isBroken ? "unclear" : "refused", String(error));
        if (generation === this.#generation) this.#noteFailure(error);
      },
    );
  }

  /** The partition wants to be opened again: it fenced itself, or the machine is gone. */
  get #isBroken(): boolean {
    return this.#disk.stopped || this.#partition.isFenced;
  }

  /** Everything is answered afterwards, and the model knows, unless the partition is broken. */
  async #quiesce(): Promise<void> {
    await this.#simulation.run();
    if (this.#isBroken) return;
    if (this.#unexpected !== undefined) throw this.#unexpected;
    this.#model.settle(this.#visibleEnd);
    this.#checkCounters();
    this.#releaseHeld();
  }

  #releaseHeld(): void {
    for (const read of this.#held.splice(0)) {
      requireSameParts(read);
      read.result.release();
    }
  }

  /** Last offset that readers may see, or -1. */
  get #visibleEnd(): number {
    const { counters } = this.#partition;
    return counters.hasMessages ? counters.currentOffset : -1;
  }

  #checkCounters(): void {
    const { counters } = this.#partition;
    if (this.#reported !== undefined) {
      assert(Bun.deepEquals({ ...counters }, this.#reported), "counters are reported as they change", {
        counters,
        reported: this.#reported,
      });
    }
    if (this.#model.hasGap) return;
    const { messagesCount, sizeBytes, nextOffset } = this.#model;
    const currentOffset = Math.max(nextOffset - 1, 0);
    const expected = { messagesCount, sizeBytes, currentOffset, hasMessages: nextOffset > 0 };
    const { segmentsCount: _, ...got } = { ...counters };
    assert(Bun.deepEquals(got, expected), "counters are those of the messages", { got, expected });
  }

  /** A read while appends wait for their answers. */
  #readUnderWay(): void {
    const from = this.#randomFrom();
    const countMax = this.#simulation.between(0, 60);
    this.#trace.add(`read ${JSON.stringify(from)} ${countMax}`);
    const answer = this.#partition.read(from, countMax);
    if (!(answer instanceof Promise)) {
      this.#checkUnderWay(complete(answer, countMax));
      return;
    }
    const generation = this.#generation;
    answer
      .then((result) => {
        if (generation === this.#generation && !this.#disk.stopped) this.#checkUnderWay(complete(result, countMax));
      })
      .catch((error: unknown) => {
        if (generation === this.#generation && !this.#disk.stopped) this.#unexpected ??= error;
      });
  }

  /** Thrown where nobody waits; the next comparison throws it. */
  #unexpected: unknown;

  #checkUnderWay(read: CompletedRead): void {
    this.#model.checkReadUnderWay(read.stored);
    this.#model.becameVisible(read.stored);
    if (this.#simulation.chance(50)) this.#held.push(read);
    else read.result.release();
  }

  async #readSettled(): Promise<void> {
    await this.#compareWhole(); // the model learns timestamps by reading
    if (this.#isBroken) return;
    const from = this.#randomFrom();
    const countMax = this.#simulation.pick([0, 1, 10, this.#simulation.between(0, 100)]);
    this.#trace.add(`read ${JSON.stringify(from)} ${countMax}, settled`);
    const read = await readNow(this.#simulation, this.#partition, from, countMax);
    if (this.#isBroken) return;
    const next = this.#model.nextOffset;
    const currentOffset = this.#model.hasGap ? read.result.currentOffset : Math.max(next - 1, 0);
    assert(read.result.currentOffset === currentOffset, "a read tells the current offset", {
      got: read.result.currentOffset,
      currentOffset,
    });
    this.#model.checkSettledRead(read.stored, this.#wanted(from, countMax, currentOffset));
    this.#model.becameVisible(read.stored);
    this.#held.push(read);
  }

  #wanted(from: ReadFrom, countMax: number, currentOffset: number): number[] {
    return this.#model.offsetsFrom(this.#startOf(from, countMax, currentOffset)).slice(0, countMax);
  }

  #startOf(from: ReadFrom, countMax: number, currentOffset: number): number {
    switch (from.kind) {
      case "offset":
        return from.offset;
      case "first":
        return 0;
      case "last":
        return currentOffset + 1 - countMax;
      case "next":
        return (this.#offsets.get(from.consumer) ?? -1) + 1;
      case "timestamp": {
        const later = this.#model
          .offsetsFrom(0)
          .find((offset) => this.#model.timestampAt(offset)! >= from.timestampMicros);
        return later ?? this.#model.nextOffset;
      }
    }
  }

  #randomFrom(): ReadFrom {
    switch (this.#simulation.pick(["offset", "offset", "timestamp", "first", "last", "next"] as const)) {
      case "offset":
        return { kind: "offset", offset: this.#simulation.between(0, this.#model.nextOffset + 3) };
      case "timestamp":
        return { kind: "timestamp", timestampMicros: this.#randomTimestamp() };
      case "first":
        return { kind: "first" };
      case "last":
        return { kind: "last" };
      case "next":
        return { kind: "next", consumer: this.#simulation.pick(consumerKeys) };
    }
  }

  #randomTimestamp(): number {
    const offset = this.#simulation.between(0, Math.max(this.#model.nextOffset - 1, 0));
    const known = this.#model.timestampAt(offset);
    return known === undefined ? this.#clock.nowMicros() : known + this.#simulation.between(-1, 1);
  }

  async #compareWhole(): Promise<void> {
    await this.#quiesce();
    if (this.#isBroken) return;
    const { stored } = await this.#readWhole();
    this.#model.checkSettledRead(stored, this.#model.offsetsFrom(0));
    assert(stored.length === this.#model.messagesCount, "the whole log is read", { got: stored.length });
    this.#model.becameVisible(stored);
  }

  #readWhole(): Promise<WholePartition> {
    // The first message of an opening may be among those that are damaged.
    return readWhole(this.#simulation, this.#partition, (message, previous) =>
      [...this.#firstNumbers].some((number) => number > previous.number && number <= message.number),
    );
  }

  #changeOffset(): void {
    const key = this.#simulation.pick(consumerKeys);
    const visibleEnd = this.#visibleEnd;
    const isStore = this.#simulation.chance(75);
    const value = isStore ? this.#simulation.between(0, Math.max(visibleEnd, 0) + 1) : undefined;
    this.#trace.add(`offset of ${key.kind} ${key.id} becomes ${value}`);
    const expected =
      value === undefined
        ? this.#offsets.get(key) === undefined
          ? "ConsumerOffsetNotFound"
          : undefined
        : value > visibleEnd
          ? "InvalidOffset"
          : undefined;
    if (expected === undefined) this.#offsets.changing(key, value);
    try {
      if (value === undefined) this.#partition.deleteOffset(key);
      else this.#partition.storeOffset(key, value);
    } catch (error) {
      if (error instanceof IggyError && error.errorName === expected) return;
      this.#requireFault(error);
      this.#trace.add(`  failed: ${String(error)}`);
      return; // in doubt until the next recovery
    }
    assert(expected === undefined, "a wrong offset operation fails", { expected, value, visibleEnd });
    this.#offsets.changed(key, value);
    assert(this.#partition.getOffset(key) === value, "a stored offset is found");
  }

  async #flush(): Promise<void> {
    if (this.#simulation.chance(50)) await this.#quiesce();
    const kind = this.#simulation.pick(["flush", "fsync", "save"] as const);
    this.#trace.add(kind);
    const covered = this.#model.answeredNow();
    const durable = kind === "fsync" || (kind === "save" && this.#options.enforceFsync);
    await this.#attempt(async () => {
      await settled(
        this.#simulation,
        kind === "save" ? this.#partition.save() : this.#partition.flush(kind === "fsync"),
      );
      this.#model.becameSafe(covered, durable ? "powerSafe" : "killSafe");
    });
  }

  async #purge(): Promise<void> {
    await this.#quiesce();
    if (this.#isBroken) return;
    this.#trace.add("purge");
    this.#model.purgeBegan();
    for (const key of consumerKeys) this.#offsets.changing(key, undefined);
    this.#isPurging = true;
    await this.#attempt(async () => {
      await settled(this.#simulation, this.#partition.purge());
      this.#isPurging = false;
      this.#model.purged();
      for (const key of consumerKeys) this.#offsets.changed(key, undefined);
      this.#checkCounters();
    });
  }

  async #closeAndOpen(): Promise<void> {
    if (this.#simulation.chance(50)) await this.#quiesce();
    this.#trace.add("close and open");
    const wasFenced = this.#partition.isFenced;
    const closing = this.#partition.close();
    await this.#attempt(async () => {
      await settled(this.#simulation, closing);
      if (!wasFenced) this.#model.becameSafe(this.#model.answeredNow(), "powerSafe");
    });
    if (this.#disk.stopped) return;
    this.#releaseHeld();
    const { openCount } = this.#context.files;
    assert(openCount === 0, "a closed partition keeps no file open", { openCount });
    await this.#reopen("kill");
  }

  async #crash(kind: CrashKind): Promise<void> {
    this.#trace.add(`crash: ${kind}`);
    this.#disk = kind === "power" ? this.#disk.crash() : this.#disk.processCrash();
    if (this.#simulation.chance(25)) {
      // The machine stops again while it recovers.
      const next = this.#simulation.pick(["power", "kill"] as const);
      this.#disk.stopAfter(this.#simulation.between(0, 6));
      try {
        this.#context = createSimContext(this.#disk, this.#clock, this.#options, this.#trace);
        this.#generation++;
        this.#open();
        await this.#simulation.run();
      } catch (error) {
        if (!this.#disk.stopped) throw error;
      }
      this.#trace.add(`crash in recovery: ${next}`);
      this.#disk = next === "power" ? this.#disk.crash() : this.#disk.processCrash();
      if (next === "power") kind = "power";
    }
    await this.#reopen(kind);
  }

  /** On the disk as it is now; compares everything, and appends. */
  async #reopen(kind: CrashKind): Promise<void> {
    this.#held.length = 0;
    this.#generation++;
    this.#unexpected = undefined;
    this.#faultsPossible = false;
    this.#somethingFailed = false;
    this.#disk.heal();
    this.#model.crashed();
    this.#context = createSimContext(this.#disk, this.#clock, this.#options, this.#trace);
    this.#partition = this.#open();
    const { stored, damagedCount } = await this.#readWhole();
    this.#trace.add(
      `recovered ${stored.length} messages to offset ${stored.at(-1)?.offset}, ${damagedCount} damaged; model ${this.#model.messagesCount} to ${this.#model.nextOffset - 1}`,
    );
    this.#model.recovered(stored, damagedCount, kind, this.#isPurging);
    this.#isPurging = false;
    this.#model.becameVisible(stored);
    for (const key of consumerKeys) {
      this.#offsets.recovered(key, this.#partition.getOffset(key), kind, this.#visibleEnd);
    }
    this.#checkCounters();
    this.#firstNumbers.add(this.#model.sentCount);
    this.#append();
    await this.#quiesce();
    assert(!this.#somethingFailed && !this.#isBroken, "a reopened partition accepts appends");
  }

  /** Something was refused because of a fault. Healed, the partition either goes on or wants to be opened again. */
  async #afterFailure(): Promise<void> {
    if (this.#simulation.chance(60)) return; // goes on failing for a while
    this.#disk.heal();
    await this.#simulation.run();
    if (!this.#disk.stopped) await this.#recoverFromFailure();
    if (this.#disk.stopped) await this.#crash(this.#simulation.pick(["power", "kill"]));
  }

  async #recoverFromFailure(): Promise<void> {
    if (!this.#partition.isFenced && !this.#isPurging) {
      this.#somethingFailed = false;
      this.#faultsPossible = false;
      this.#append();
      await this.#quiesce();
      return;
    }
    this.#trace.add("the partition is fenced");
    await this.#closeAndOpen();
  }

  #addFault(): void {
    const count = this.#simulation.between(0, 4);
    this.#faultsPossible = true;
    switch (this.#simulation.pick(["full", "write", "sync"] as const)) {
      case "full":
        this.#trace.add("the disk is nearly full");
        this.#disk.fillUpAfter(this.#simulation.between(0, 5000));
        return;
      case "write":
        this.#trace.add(`the write after ${count} will fail`);
        this.#disk.failWriteAfter(count);
        return;
      case "sync":
        this.#trace.add(`the sync after ${count} will fail`);
        this.#disk.failSyncAfter(count);
        this.#model.syncMayFail();
    }
  }

  #open(): Partition {
    this.#reported = undefined;
    const generation = this.#generation;
    return Partition.open(this.#context, DIRECTORY, (counters) => {
      if (generation === this.#generation) this.#reported = { ...counters };
    });
  }

  async #attempt(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#requireFault(error);
      this.#trace.add(`  failed: ${String(error)}`);
    }
  }

  #requireFault(error: unknown): void {
    if (!this.#noteFailure(error)) throw error;
  }

  /** Failures need a fault of the disk; returns whether there was one. */
  #noteFailure(error: unknown): boolean {
    this.#somethingFailed = true;
    const isOfDisk = error instanceof IggyError || error instanceof DiskError;
    if (isOfDisk && (this.#faultsPossible || this.#disk.stopped)) return true;
    this.#unexpected ??= error;
    return false;
  }
}
