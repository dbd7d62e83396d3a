/** The metadata log on a disk that crashes: what was acknowledged is there, and the state is that of the events in order. */

import { apply } from "../../src/metadata/apply.ts";
import { type MetadataCipher, MetadataKeyError } from "../../src/metadata/cipher.ts";
import type { MetadataEvent } from "../../src/metadata/events.ts";
import { metadataPaths } from "../../src/metadata/files.ts";
import { checkKey } from "../../src/metadata/key-check.ts";
import { MetadataLog } from "../../src/metadata/log.ts";
import { toPlainState } from "../../src/metadata/plain-state.ts";
import { createState, type MetadataState } from "../../src/metadata/state.ts";
import { assert } from "../../src/platform/assert.ts";
import { DiskError } from "../../src/platform/disk.ts";
import { SimDisk } from "../../src/platform/simulated/sim-disk.ts";
import type { Simulation } from "../../src/platform/simulated/simulation.ts";
import { IggyError } from "../../src/protocol/errors.ts";
import { createCipher } from "../../src/security/encryption.ts";
import { randomEvent } from "./metadata-events.ts";
import { type Trace, testSeeds } from "./seeds.ts";

const OPERATIONS_COUNT = 120;

const paths = metadataPaths("/data/metadata");

testSeeds("metadata survives crashes", 200, 20, async (simulation, trace) => {
  run(new MetadataWorld(simulation, trace));
});

testSeeds("encrypted metadata survives crashes, and so does switching encryption on", 200, 20, async (seed, trace) => {
  run(new MetadataWorld(seed, trace, createCipher(Buffer.alloc(32, 7).toString("base64"))));
});

function run(world: MetadataWorld): void {
  for (let operation = 0; operation < OPERATIONS_COUNT; operation++) world.operate();
  world.crash("power");
  world.crash("kill");
}

class MetadataWorld {
  readonly #simulation: Simulation;
  readonly #trace: Trace;
  readonly #enforceFsync: boolean;
  readonly #snapshotEveryEntries: number;
  readonly #cipher: MetadataCipher | undefined;
  /** Whether the log is opened with `#cipher`; from some start on it stays so. */
  #isEncrypting: boolean;
  #disk: SimDisk;
  #log: MetadataLog;
  /** Acknowledged, in order: entry n of the log is event n - 1 here. */
  #events: MetadataEvent[] = [];
  /** State after all of `#events`. */
  #state = createState();
  /** Events that were not acknowledged, with the index they would have: a crash may bring such a one back. */
  #unacknowledged: { index: number; event: MetadataEvent; possibleAfterKill: boolean }[] = [];
  /** As many events survive a power loss. */
  #powerSafeCount = 0;
  /** A sync failed: what it should have covered is in doubt until a snapshot holds it. */
  #isInDoubt = false;
  #faultsPossible = false;

  constructor(simulation: Simulation, trace: Trace, cipher?: MetadataCipher) {
    this.#simulation = simulation;
    this.#trace = trace;
    this.#enforceFsync = simulation.chance(50);
    this.#snapshotEveryEntries = simulation.between(3, 40);
    this.#cipher = cipher;
    this.#isEncrypting = cipher !== undefined && simulation.chance(50);
    trace.add(
      `enforceFsync=${this.#enforceFsync} snapshotEveryEntries=${this.#snapshotEveryEntries} encrypting=${this.#isEncrypting}`,
    );
    this.#disk = new SimDisk(simulation);
    this.#disk.makeDirectory("/data");
    this.#disk.syncDirectory("/");
    this.#log = this.#open().log;
  }

  operate(): void {
    const dice = this.#simulation.between(0, 99);
    if (dice < 72) this.#append();
    else if (dice < 77) this.#snapshot();
    else if (dice < 82) this.#closeAndOpen();
    else if (dice < 85) this.crash("power");
    else if (dice < 88) this.crash("kill");
    else if (dice < 92) {
      const count = this.#simulation.between(0, 12);
      this.#trace.add(`the machine will stop after ${count} changes`);
      this.#disk.stopAfter(count);
    } else if (dice < 97) this.#addFault();
    else this.#heal();
    if (this.#disk.stopped) this.crash(this.#simulation.pick(["power", "kill"]));
    else if (this.#log.isFenced) this.#closeAndOpen();
  }

  /** Crashes and reopens; the machine may stop again while it recovers. */
  crash(kind: "power" | "kill"): void {
    this.#trace.add(`crash: ${kind}`);
    this.#maybeSwitchOn();
    this.#disk = kind === "power" ? this.#disk.crash() : this.#disk.processCrash();
    this.#faultsPossible = false;
    if (this.#simulation.chance(30)) {
      this.#disk.stopAfter(this.#simulation.between(0, 8));
      try {
        this.#open();
      } catch (error) {
        if (!this.#disk.stopped) throw error;
      }
      const next = this.#simulation.pick(["power", "kill"] as const);
      this.#trace.add(`crash in recovery: ${next}`);
      this.#disk = next === "power" ? this.#disk.crash() : this.#disk.processCrash();
      if (next === "power") kind = "power";
    }
    this.#recover(kind);
  }

  #append(): void {
    const event = randomEvent(this.#state, this.#simulation);
    const index = this.#events.length + 1;
    try {
      assert(this.#log.append(event) === index, "entries are numbered without gaps", { index });
    } catch (error) {
      this.#requireFault(error);
      this.#trace.add(`append ${index} ${event.kind}: failed`);
      const possibleAfterKill = this.#disk.stopped || this.#log.isFenced;
      this.#unacknowledged.push({ index, event, possibleAfterKill });
      this.#requireState();
      return;
    }
    this.#trace.add(`append ${index} ${event.kind}`);
    this.#events.push(event);
    apply(this.#state, event);
    this.#requireState();
    if (this.#enforceFsync) this.#powerSafeCount = index;
  }

  #snapshot(): void {
    this.#trace.add("snapshot");
    try {
      this.#log.snapshot();
      this.#isInDoubt = false;
      this.#powerSafeCount = this.#events.length;
    } catch (error) {
      this.#requireFault(error);
    }
  }

  #closeAndOpen(): void {
    this.#trace.add("close and open");
    const wasFenced = this.#log.isFenced;
    try {
      this.#log.close();
      if (!wasFenced && !this.#isInDoubt) this.#powerSafeCount = this.#events.length;
    } catch (error) {
      this.#requireFault(error);
    }
    if (this.#disk.stopped) return;
    this.#maybeSwitchOn();
    this.#disk.heal();
    const hadFaults = this.#faultsPossible;
    this.#faultsPossible = false;
    const repairs = this.#recover("kill");
    assert(hadFaults || wasFenced || repairs === 0, "a log that was closed needs no repair");
  }

  #addFault(): void {
    const count = this.#simulation.between(0, 4);
    this.#faultsPossible = true;
    switch (this.#simulation.pick(["full", "write", "sync"] as const)) {
      case "full":
        this.#trace.add("the disk is nearly full");
        this.#disk.fillUpAfter(this.#simulation.between(0, 400));
        return;
      case "write":
        this.#trace.add(`the write after ${count} will fail`);
        this.#disk.failWriteAfter(count);
        return;
      case "sync":
        this.#trace.add(`the sync after ${count} will fail`);
        this.#disk.failSyncAfter(count);
        this.#isInDoubt = true;
    }
  }

  #heal(): void {
    this.#trace.add("heal");
    this.#disk.heal();
  }

  #open(): { log: MetadataLog; repairs: readonly unknown[] } {
    return MetadataLog.open({
      disk: this.#disk,
      directory: paths.directory,
      enforceFsync: this.#enforceFsync,
      snapshotEveryEntries: this.#snapshotEveryEntries,
      cipher: this.#isEncrypting ? this.#cipher : undefined,
      onSnapshotFailure: (error) => this.#requireFault(error),
    });
  }

  #maybeSwitchOn(): void {
    if (this.#cipher === undefined || this.#isEncrypting || !this.#simulation.chance(20)) return;
    this.#trace.add("encryption is switched on");
    this.#isEncrypting = true;
  }

  /** Without the key nothing opens that was written with it, and nothing changes. */
  #requireKeyNeeded(): void {
    if (!this.#isEncrypting) return;
    const before = this.#filesText();
    try {
      checkKey(this.#disk, paths, undefined);
      return; // nothing encrypted is left, or not written yet
    } catch (error) {
      if (!(error instanceof MetadataKeyError)) throw error;
    }
    try {
      MetadataLog.open({
        disk: this.#disk,
        directory: paths.directory,
        enforceFsync: false,
        onSnapshotFailure: () => undefined,
      });
      assert(false, "an encrypted log does not open without its key");
    } catch (error) {
      if (!(error instanceof MetadataKeyError)) throw error;
    }
    assert(this.#filesText() === before, "a start that is refused changes nothing");
  }

  #filesText(): string {
    const names = this.#disk.list(paths.directory);
    return names.map((name) => `${name} ${Buffer.from(readBytes(this.#disk, name)).toString("base64")}`).join("\n");
  }

  /** Returns how many repairs were made. */
  #recover(kind: "power" | "kill"): number {
    this.#requireKeyNeeded();
    const { log, repairs } = this.#open();
    assert(!this.#isEncrypting || !checkKey(this.#disk, paths, this.#cipher), "no metadata file is in clear");
    this.#log = log;
    const floor = kind === "power" ? this.#powerSafeCount : this.#events.length;
    const count = log.lastIndex;
    this.#trace.add(
      `recovered ${count} of ${this.#events.length} events, at least ${floor}, ${repairs.length} repairs`,
    );
    assert(count >= floor, "acknowledged events are recovered", { count, floor, kind });

    const recovered = this.#candidates(count, kind).find((events) =>
      Bun.deepEquals(toPlainState(stateOf(events)), toPlainState(log.state)),
    );
    assert(recovered !== undefined, "the recovered state is that of the events in order", { count, kind });
    this.#events = recovered;
    this.#state = stateOf(recovered);
    this.#powerSafeCount = Math.min(this.#powerSafeCount, count);
    this.#unacknowledged = this.#unacknowledged.filter(({ index }) => index > count);
    return repairs.length;
  }

  /** The sequences of `count` events that recovery may return. */
  #candidates(count: number, kind: "power" | "kill"): MetadataEvent[][] {
    const sequences = count <= this.#events.length ? [this.#events.slice(0, count)] : [];
    for (const { index, event, possibleAfterKill } of this.#unacknowledged) {
      if (index !== count || index > this.#events.length + 1) continue;
      if (kind === "power" || (possibleAfterKill && index === this.#events.length + 1)) {
        sequences.push([...this.#events.slice(0, count - 1), event]);
      }
    }
    return sequences;
  }

  #requireState(): void {
    const same = Bun.deepEquals(toPlainState(this.#state), toPlainState(this.#log.state));
    assert(same, "the log's state is that of the acknowledged events");
  }

  #requireFault(error: unknown): void {
    const expected = error instanceof DiskError || error instanceof IggyError;
    if (!expected || !(this.#disk.stopped || this.#faultsPossible)) throw error;
  }
}

function readBytes(disk: SimDisk, name: string): Uint8Array {
  const file = disk.open(`${paths.directory}/${name}`, "read");
  const bytes = new Uint8Array(file.sizeBytes());
  file.read(bytes, 0);
  file.close();
  return bytes;
}

function stateOf(events: readonly MetadataEvent[]): MetadataState {
  const state = createState();
  for (const event of events) apply(state, event);
  return state;
}
