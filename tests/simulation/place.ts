/** One partition of the storage simulation beside its model: opened, appended to, compared, opened again. */
import { assert } from "../../src/platform/assert.ts";
import { IggyError } from "../../src/protocol/errors.ts";
import { markName } from "../../src/storage/mark.ts";
import { Partition } from "../../src/storage/partition.ts";
import type { Acknowledge, ConsumerKey, PartitionCounters } from "../../src/storage/types.ts";
import { batchOf } from "./messages.ts";
import { PartitionModel } from "./model.ts";
import { consumerKeys, OffsetsModel } from "./offsets-model.ts";
import { type CompletedRead, readWhole, requireSameParts, type WholePartition } from "./partition-reader.ts";
import { PlaceIdentity } from "./place-identity.ts";
import type { Purging } from "./recovered-log.ts";
import { type StorageMachine, simCipher } from "./storage-machine.ts";
import type { CrashKind, SentBatch } from "./tracked-messages.ts";

export class Place {
  readonly machine: StorageMachine;
  readonly directory: string;
  readonly #index: number;
  /** Undefined where nobody asks whose the directory is. */
  readonly identity: PlaceIdentity | undefined;
  /** Of this partition: that of the machine, or `sync` where the topic is `persisted`. */
  readonly level: Acknowledge;
  /** Stored offsets are durable when they are answered. */
  readonly persistsOffsets: boolean;
  readonly model: PartitionModel;
  readonly offsets = new OffsetsModel();
  readonly held: CompletedRead[] = [];
  partition: Partition;
  /** How far a purge is that did not end. */
  purging: Purging = "none";
  somethingFailed = false;
  /** Nothing is taken any more. */
  isClosing = false;
  /** Thrown where nobody waits; the next comparison throws it. */
  unexpected: unknown;
  /** Counts openings, so that what an earlier partition still answers is not taken for this one's. */
  generation = 0;
  #changedAtRest = 0;
  #hasChangedMark = false;
  #reported: PartitionCounters | undefined;
  /** First message of each opening: if the clock stepped back meanwhile and the last segment is empty, its time may be older. */
  readonly #firstNumbers = new Set<number>();

  constructor(machine: StorageMachine, index: number) {
    this.machine = machine;
    this.#index = index;
    this.directory = `/data/streams/1/topics/2/partitions/${index}`;
    this.identity = machine.simulation.chance(70) ? new PlaceIdentity() : undefined;
    this.level = machine.simulation.chance(20) ? "sync" : machine.options.acknowledge;
    this.persistsOffsets = machine.simulation.chance(25);
    this.model = new PartitionModel({
      level: this.level,
      hasLargeMessages: machine.hasLargeMessages,
      overheadBytes: machine.isEncrypted ? simCipher.overheadBytes : 0,
      deduplicates: machine.options.deduplication !== undefined,
    });
    for (const { kind, id } of consumerKeys) if (kind === "group") this.identity?.createGroup(id);
    this.partition = this.open();
  }

  note(line: string): void {
    this.machine.trace.add(`${this.#index}: ${line}`);
  }

  /** On the disk as it is now. */
  open(): Partition {
    this.#reported = undefined;
    this.generation++;
    const { generation } = this;
    const onChange = (counters: PartitionCounters) => {
      if (generation === this.generation) this.#reported = { ...counters };
    };
    const { context } = this.machine;
    const options = { ...context.options, acknowledge: this.level, persistsOffsets: this.persistsOffsets };
    return Partition.open({ ...context, options }, this.directory, onChange, this.identity);
  }

  /** The partition wants to be opened again: it fenced itself, a purge did not end, or the machine is gone. */
  get isBroken(): boolean {
    return this.machine.stopped || this.partition.isFenced || this.purging !== "none";
  }

  /** Last offset that readers may see, or -1. */
  get visibleEnd(): number {
    const { counters } = this.partition;
    return counters.hasMessages ? counters.currentOffset : -1;
  }

  append(): void {
    const { all, batch } = this.model.sending(this.machine.simulation);
    const name = `append ${all[0]!.number}..${all.at(-1)!.number}`;
    this.note(`${name}, ${batch.messages.length} of ${all.length}`);
    const { generation } = this;
    const answered = (answer: SentBatch["answer"], note: string) => {
      if (generation !== this.generation) return;
      this.note(`  ${name} ${answer} ${note}`);
      this.model.answered(batch, answer);
    };
    this.partition.append(batchOf(all, this.machine.simulation)).then(
      () => answered("acknowledged", ""),
      (error: unknown) => {
        const isUnclear = this.isBroken || (error instanceof IggyError && error.errorName === "CannotSyncFile");
        answered(isUnclear ? "unclear" : "refused", String(error));
        if (generation === this.generation) this.noteFailure(error);
      },
    );
  }

  /** All that waited in the simulation is answered: the model learns how. */
  settle(): void {
    if (this.unexpected !== undefined) throw this.unexpected;
    if (this.isBroken) {
      const { failedSyncsPossible, stopped } = this.machine;
      assert(!this.partition.isFenced || failedSyncsPossible || stopped, "only a sync that failed fences a partition");
      return;
    }
    this.model.settle(this.visibleEnd);
    if (!this.model.hasGap) this.model.retained(this.partition.counters.messagesCount);
    this.#checkCounters();
    this.releaseHeld();
  }

  releaseHeld(): void {
    for (const read of this.held.splice(0)) {
      // A part is looked at with the same calls that may fail now.
      if (!this.machine.faultsPossible) requireSameParts(read);
      read.result.release();
    }
  }

  readWhole(): Promise<WholePartition> {
    // The first message of an opening may be among those that are damaged.
    const mayGoBack = (from: number, to: number) =>
      [...this.#firstNumbers].some((first) => first > from && first <= to);
    return readWhole(
      this.machine.simulation,
      this.partition,
      // A clock that goes back by more than a minute begins a segment, where times start anew.
      (message, previous) =>
        mayGoBack(previous.number, message.number) || previous.timestampMicros - message.timestampMicros > 60e6,
      this.machine.isEncrypted,
    );
  }

  /** Everything that the partition returns against the model. Only after `settle`. */
  async compareWhole(): Promise<void> {
    const { stored } = await this.readWhole();
    const [first] = stored;
    const begin = first?.offset ?? this.model.nextOffset;
    if (this.model.hasGap && this.model.mayBeginAt(begin)) this.model.removedBelow(begin);
    this.model.checkSettledRead(stored, this.model.offsetsFrom(0));
    assert(stored.length === this.model.messagesCount, "the whole log is read", { got: stored.length });
    this.model.becameVisible(stored);
    for (const key of consumerKeys) this.#requireOffset(key);
  }

  #requireOffset(key: ConsumerKey): void {
    const got = this.partition.getOffset(key);
    const known = this.offsets.get(key);
    assert(got === known, "a stored offset stays", { consumer: `${key.kind} ${key.id}`, got, known });
  }

  /** The process that had it open is gone, and another one has opened it: compares everything, and appends. */
  async reopen(kind: CrashKind): Promise<void> {
    const flippedCount = this.#changedAtRest;
    this.#changedAtRest = 0;
    this.held.length = 0;
    this.unexpected = undefined;
    this.somethingFailed = false;
    this.isClosing = false;
    this.model.crashed();
    this.partition = this.open();
    const { stored, damagedCount } = await this.readWhole();
    const nextOffset = this.visibleEnd + 1;
    this.note(
      `recovered ${stored.length} messages from ${stored[0]?.offset} to ${nextOffset}, ${damagedCount} damaged; model ${this.model.messagesCount} to ${this.model.nextOffset}`,
    );
    if (this.purging === "decided") for (const key of consumerKeys) this.offsets.ended(key);
    if (this.purging === "possible") for (const key of consumerKeys) this.offsets.changing(key, undefined);
    this.model.recovered({ stored, nextOffset, damagedCount, kind, flippedCount }, this.purging);
    this.purging = "none";
    this.model.becameVisible(stored);
    for (const key of consumerKeys) {
      this.offsets.recovered(key, this.partition.getOffset(key), kind, this.visibleEnd);
    }
    this.#checkCounters();
    this.appendFirst();
  }

  /** Nobody has its files open: some bits change. Those of a log cost one message each, those of other files nothing. */
  changeAtRest(): void {
    const { disk, simulation } = this.machine;
    const { directory } = this;
    const isMeant = simulation.pick<(path: string) => boolean>([
      (path) => path.endsWith(".log"),
      (path) => path.endsWith(".log") || path.endsWith(".index"),
      (path) => path.endsWith(".index") || path.endsWith("/checkpoint"),
    ]);
    const isOurs = (path: string) => path.startsWith(`${directory}/`);
    const flipped = disk.flipBits(simulation.between(1, 4), (path) => isOurs(path) && isMeant(path));
    // It is stored twice: one bit is made good. What was repaired may be lost in a power loss, so there is no second one.
    if (!this.#hasChangedMark && simulation.chance(30)) {
      this.#hasChangedMark = true;
      flipped.push(...disk.flipBits(1, (path) => path === `${directory}/${markName}`));
    }
    for (const { path, position, bit } of flipped) {
      if (path.endsWith(".log")) this.#changedAtRest++;
      this.note(`bit ${bit} of byte ${position} of ${path.slice(directory.length + 1)} flips`);
    }
  }

  /** The first append after an opening. */
  appendFirst(): void {
    this.#firstNumbers.add(this.model.sentCount);
    this.append();
  }

  /** Failures need a fault of the disk; returns whether there was one. */
  noteFailure(error: unknown): boolean {
    this.somethingFailed = true;
    if (this.machine.isExpected(error)) return true;
    this.unexpected ??= error;
    return false;
  }

  async attempt(work: () => Promise<void> | void): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      if (!this.noteFailure(error)) throw error;
      this.note(`  failed: ${String(error)}`);
      return false;
    }
  }

  #checkCounters(): void {
    const { counters } = this.partition;
    if (this.#reported !== undefined) {
      assert(Bun.deepEquals({ ...counters }, this.#reported), "counters are reported as they change", {
        counters,
        reported: this.#reported,
      });
    }
    if (this.model.hasGap) return;
    const { messagesCount, sizeBytes, nextOffset } = this.model;
    const currentOffset = Math.max(nextOffset - 1, 0);
    const expected = { messagesCount, sizeBytes, currentOffset, hasMessages: nextOffset > 0 };
    const { segmentsCount: _, ...got } = { ...counters };
    assert(Bun.deepEquals(got, expected), "counters are those of the messages", { got, expected });
  }
}
