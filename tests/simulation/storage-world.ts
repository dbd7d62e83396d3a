/**
 * One run of the storage simulation: partitions on one simulated disk beside their models, random operations on both, and a
 * comparison wherever there is something to compare.
 */
import { assert } from "../../src/platform/assert.ts";
import type { Simulation } from "../../src/platform/simulated/simulation.ts";
import type { Acknowledge } from "../../src/storage/types.ts";
import { settled } from "./partition-reader.ts";
import { Place } from "./place.ts";
import { changeGroup, changeOffset, flush, purge, recreate, removeExpired, removeOldest } from "./place-operations.ts";
import { readSettled, readUnderWay } from "./place-reads.ts";
import type { Trace } from "./seeds.ts";
import { addFault } from "./storage-faults.ts";
import { StorageMachine } from "./storage-machine.ts";
import type { CrashKind } from "./tracked-messages.ts";

const hourMicros = 3_600_000_000;
const clockSteps = [-hourMicros, -2_000_000, 2_000_000, 24 * 365 * hourMicros];

export class StorageWorld {
  readonly #simulation: Simulation;
  readonly #machine: StorageMachine;
  readonly #places: readonly Place[];

  constructor(simulation: Simulation, trace: Trace, level: Acknowledge) {
    this.#simulation = simulation;
    this.#machine = new StorageMachine(simulation, trace, level);
    const placesCount = simulation.pick([1, 1, 1, 3]);
    this.#places = Array.from({ length: placesCount }, (_, index) => new Place(this.#machine, index));
  }

  async run(operationsCount: number): Promise<void> {
    for (let operation = 0; operation < operationsCount; operation++) {
      try {
        await this.#operate();
      } catch (error) {
        // A machine that stopped fails every call, and whatever was under way is not known to have happened.
        if (!this.#machine.stopped) throw error;
      }
      this.#throwUnexpected();
      if (this.#machine.stopped) await this.#crash(this.#simulation.pick(["power", "kill"]));
      else if (this.#places.some(({ somethingFailed, isBroken }) => somethingFailed || isBroken)) {
        await this.#afterFailure();
      }
    }
    await this.#closeAndOpen();
    if (this.#machine.stopped) await this.#crash("kill");
    await this.#crash("power");
  }

  async #operate(): Promise<void> {
    const simulation = this.#simulation;
    const place = simulation.pick(this.#places);
    const dice = simulation.between(0, 999);
    if (dice < 370) place.append();
    else if (dice < 480) await simulation.runSome(simulation.between(0, 3));
    else if (dice < 570) readUnderWay(place);
    else if (dice < 650) await this.#compare(place, readSettled);
    else if (dice < 710) await changeOffset(place);
    else if (dice < 730) changeGroup(place);
    else if (dice < 775) await flush(place);
    else if (dice < 795) await removeOldest(place);
    else if (dice < 807) await removeExpired(place);
    else if (dice < 820) await this.#compare(place);
    else if (dice < 840) await purge(place);
    else if (dice < 855) await recreate(place);
    else if (dice < 880) await this.#closeAndOpen();
    else if (dice < 903) await this.#crash("power");
    else if (dice < 926) await this.#crash("kill");
    else if (dice < 946) {
      const count = simulation.between(0, 15);
      this.#machine.trace.add(`the machine will stop after ${count} changes`);
      this.#machine.disk.stopAfter(count);
    } else if (dice < 953) this.#stepClock();
    else addFault(this.#machine, () => this.#syncMayFail());
  }

  #stepClock(): void {
    const micros = this.#simulation.pick(clockSteps);
    this.#machine.trace.add(`the clock steps by ${micros} µs`);
    this.#machine.clock.step(micros);
  }

  /** Everything that a partition holds, and then some more. */
  async #compare(place: Place, more?: (place: Place) => Promise<void>): Promise<void> {
    await this.#quiesce();
    if (place.isBroken) return;
    await place.attempt(async () => {
      await place.compareWhole();
      if (!place.isBroken) await more?.(place);
    });
  }

  /** Everything is answered afterwards, and the models know, unless a partition is broken. */
  async #quiesce(): Promise<void> {
    await this.#simulation.run();
    for (const place of this.#places) place.settle();
  }

  #syncMayFail(): void {
    for (const { model, offsets } of this.#places) {
      model.syncMayFail();
      offsets.syncMayFail();
    }
  }

  #throwUnexpected(): void {
    for (const { unexpected } of this.#places) if (unexpected !== undefined) throw unexpected;
  }

  async #closeAndOpen(): Promise<void> {
    const machine = this.#machine;
    if (this.#simulation.chance(50)) await this.#quiesce();
    machine.trace.add("close and open");
    for (const place of this.#places) {
      const { partition, model, offsets } = place;
      const wasSound = !place.isBroken;
      const covered = offsets.syncing();
      place.isClosing = true;
      const closing = partition.close();
      await place.attempt(async () => {
        await settled(this.#simulation, closing);
        offsets.synced(covered);
        if (wasSound) model.becameSafe(model.answeredNow(), "powerSafe");
      });
      if (machine.stopped) return;
    }
    for (const place of this.#places) place.releaseHeld();
    await this.#simulation.run();
    const { openCount } = machine.context.files;
    assert(openCount === 0, "closed partitions keep no file open", { openCount });
    const reservedBytes = machine.disk.reservedBytes((path) => !path.includes("/.removed/"));
    const mayHoldRoom = machine.faultsPossible || machine.hasLostPower;
    assert(reservedBytes === 0 || mayHoldRoom, "closed partitions hold no room", { reservedBytes });
    machine.startProcess();
    this.#maybeChangeAtRest();
    await this.#reopen("kill");
  }

  async #crash(kind: CrashKind): Promise<void> {
    const machine = this.#machine;
    machine.crash(kind);
    this.#maybeChangeAtRest();
    let worst = kind;
    if (this.#simulation.chance(25)) {
      // The machine stops again while it recovers, or does not give what recovery asks for.
      if (this.#simulation.chance(70)) machine.disk.stopAfter(this.#simulation.between(0, 6));
      else addFault(machine, () => this.#syncMayFail());
      for (const place of this.#places) await place.attempt(() => void place.open());
      await this.#simulation.run();
      const next = this.#simulation.pick(["power", "kill"] as const);
      machine.crash(next);
      if (next === "power") worst = "power";
    }
    await this.#reopen(worst);
  }

  #maybeChangeAtRest(): void {
    for (const place of this.#places) if (this.#simulation.chance(4)) place.changeAtRest();
  }

  async #reopen(kind: CrashKind): Promise<void> {
    for (const place of this.#places) await place.reopen(kind);
    await this.#quiesce();
    for (const place of this.#places) {
      assert(!place.somethingFailed && !place.isBroken, "a reopened partition accepts appends");
    }
  }

  /** Something was refused because of a fault. Healed, the partitions either go on or want to be opened again. */
  async #afterFailure(): Promise<void> {
    if (this.#simulation.chance(60)) return; // goes on failing for a while
    this.#machine.disk.heal();
    await this.#simulation.run();
    if (!this.#machine.stopped) await this.#recoverFromFailure();
    if (this.#machine.stopped) await this.#crash(this.#simulation.pick(["power", "kill"]));
  }

  async #recoverFromFailure(): Promise<void> {
    if (this.#places.some(({ isBroken }) => isBroken)) {
      this.#machine.trace.add("a partition wants to be opened again");
      await this.#closeAndOpen();
      return;
    }
    for (const place of this.#places) place.settle();
    this.#machine.faultsPossible = false;
    for (const place of this.#places) {
      place.somethingFailed = false;
      place.append();
    }
    await this.#quiesce();
    for (const place of this.#places) {
      assert(!place.isBroken && !place.somethingFailed, "a partition that was not fenced goes on");
      await place.compareWhole();
    }
  }
}
