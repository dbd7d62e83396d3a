/**
 * Metadata and messages on one disk: a broker without its transports, whose clients make, delete and make again streams,
 * topics, groups and users of few names, send, purge and store offsets; kills and power losses hit both at once.
 */
import { assert } from "../../src/platform/assert.ts";
import { DiskError } from "../../src/platform/disk.ts";
import { SimDisk } from "../../src/platform/simulated/sim-disk.ts";
import type { Simulation } from "../../src/platform/simulated/simulation.ts";
import { IggyError } from "../../src/protocol/errors.ts";
import type { Acknowledge, ConsumerKey, StorageOptions } from "../../src/storage/index.ts";
import { makePaths } from "../shard/setup.ts";
import { randomMessages } from "./messages.ts";
import { readWhole, settled } from "./partition-reader.ts";
import type { Trace } from "./seeds.ts";
import { randomOptions } from "./storage-setup.ts";
import type { CrashKind } from "./tracked-messages.ts";
import {
  deletionOf,
  type NamedCommand,
  partitionAgain,
  purgeOf,
  randomCommand,
  randomPurge,
} from "./whole-commands.ts";
import { describe, type LoggedMessage, type LogModel, MetadataHistory } from "./whole-model.ts";
import { type OpenPartition, persistedIdsOf, WholePartitions } from "./whole-partitions.ts";
import { UniqueClock, WholeProcess } from "./whole-process.ts";

const paths = makePaths("/data");
const none: ReadonlySet<string> = new Set();

export class WholeWorld {
  readonly #simulation: Simulation;
  readonly #trace: Trace;
  readonly #options: StorageOptions;
  readonly #clock = new UniqueClock();
  readonly #known = new WholePartitions();
  readonly #history: MetadataHistory;
  #disk: SimDisk;
  #process: WholeProcess;
  #sentCount = 0;
  /** Counts processes, so that what an earlier one still answers is not taken for this one's. */
  #generation = 0;
  #unexpected: unknown;
  /** Calls of the disk may fail until it is healed. */
  #faultsPossible = false;
  /** Of a purge that was refused: its files may still be there, which is a good place to look at. */
  #refusedPurgeOf: string | undefined;

  constructor(simulation: Simulation, trace: Trace, level: Acknowledge) {
    this.#simulation = simulation;
    this.#trace = trace;
    this.#options = randomOptions(simulation, level, false);
    trace.add(JSON.stringify(this.#options));
    this.#disk = new SimDisk(simulation);
    // As the main thread does before any shard starts.
    for (const directory of [paths.stateDirectory, paths.streamsDirectory]) this.#disk.makeDirectory(directory);
    for (const directory of ["/", "/data"]) this.#disk.syncDirectory(directory);
    this.#process = this.#start();
    this.#history = new MetadataHistory(describe(this.#process.state));
  }

  async run(operationsCount: number): Promise<void> {
    for (let operation = 0; operation < operationsCount; operation++) {
      await this.#operate();
      if (this.#unexpected !== undefined) throw this.#unexpected;
      if (this.#disk.stopped) await this.#crash(this.#simulation.pick(["power", "kill"]));
    }
    await this.#crash("kill");
    await this.#crash("power");
  }

  async #operate(): Promise<void> {
    const simulation = this.#simulation;
    const dice = simulation.between(0, 99);
    if (dice < 30) await this.#control();
    else if (dice < 60) this.#append();
    else if (dice < 70) await this.#changeOffset();
    else if (dice < 76) await simulation.runSome(simulation.between(0, 4));
    else if (dice < 78) await this.#deletePersisted();
    else if (dice < 82) await this.#save();
    else if (dice < 84) await this.#finishRemovals();
    else if (dice < 87) await this.#closeAndStart();
    else if (dice < 90) await this.#crash("power");
    else if (dice < 93) await this.#crash("kill");
    else if (dice < 95) await this.#addFault();
    else if (dice < 96) await this.#heal();
    else {
      const count = simulation.between(0, 25);
      this.#trace.add(`the machine will stop after ${count} changes`);
      this.#disk.stopAfter(count);
    }
  }

  async #addFault(): Promise<void> {
    const simulation = this.#simulation;
    const kind = simulation.pick(["descriptors", "names", "room", "metadata"] as const);
    if (kind === "metadata") return this.#failMetadataNames();
    this.#trace.add(`fault: ${kind}`);
    this.#faultsPossible = true;
    if (kind === "descriptors") this.#disk.limitDescriptors(simulation.between(0, 4));
    else if (kind === "room") this.#disk.fillUpAfter(simulation.between(0, 3000));
    else {
      this.#disk.failCalls({
        operations: ["rename", "removeTree"],
        errorCode: "EPERM",
        percent: simulation.pick([40, 100]),
      });
      // What is then refused most is a purge, or a partition that is made where another one was.
      if (simulation.chance(50)) await this.#control(randomPurge(this.#process.state, simulation));
      else for (const command of partitionAgain(this.#process.state, simulation)) await this.#control(command);
    }
  }

  /**
   * The log of metadata that a start begins has a name that cannot be made durable, while the partitions can. What is then worth
   * a look are purges of persisted topics, and what is sent behind them.
   */
  async #failMetadataNames(): Promise<void> {
    const simulation = this.#simulation;
    await this.#closeAndStart();
    if (this.#disk.stopped) return;
    this.#trace.add("fault: metadata");
    this.#faultsPossible = true;
    const operations = ["syncDirectory"] as const;
    this.#disk.failCalls({ operations, errorCode: "EMFILE", percent: 100, below: paths.stateDirectory });
    const place = this.#pickPersisted();
    if (place === undefined) return;
    await this.#control(purgeOf(place.streamName));
    const purged = this.#partitions().find(({ key }) => key === place.key);
    if (purged !== undefined) this.#appendTo(purged);
    await simulation.run();
    if (simulation.chance(50) && !this.#disk.stopped) await this.#crash("power");
  }

  /** While sends to one of its topics wait for their sync a stream is deleted, and then the machine may stop. */
  async #deletePersisted(): Promise<void> {
    const simulation = this.#simulation;
    const place = this.#pickPersisted();
    if (place === undefined) return;
    for (let left = simulation.between(1, 2); left > 0; left--) this.#appendTo(place);
    if (simulation.chance(50)) await simulation.runSome(1);
    const count = simulation.between(0, 5);
    this.#trace.add(`the machine will stop after ${count} changes`);
    this.#disk.stopAfter(count);
    await this.#control(deletionOf(place.streamName));
  }

  #pickPersisted(): OpenPartition | undefined {
    const places = this.#partitions().filter(({ log }) => log.isPersisted);
    return places.length === 0 ? undefined : this.#simulation.pick(places);
  }

  /** With a tick of the saver, which does the purges that could not be done: everything works again then. */
  async #heal(): Promise<void> {
    this.#trace.add("healed");
    this.#disk.heal();
    await this.#save();
    this.#faultsPossible = false;
  }

  /** The tick that tries again what could not be removed. */
  async #finishRemovals(): Promise<void> {
    this.#trace.add("finish removals");
    const command = { kind: "finishRemovals" } as const;
    await settled(
      this.#simulation,
      this.#process.shard.control(command).catch((error) => this.#failed("tick", error)),
    );
  }

  /** One command, or several of different names at the same time; `first` is among them. */
  async #control(first?: NamedCommand): Promise<void> {
    const { shard, state } = this.#process;
    const before = this.#partitions();
    const names = new Set<string>();
    const purged = new Set<string>();
    const answers: Promise<void>[] = [];
    for (let left = this.#simulation.pick([1, 1, 2, 3]); left > 0; left--) {
      const isFirst = first !== undefined && names.size === 0;
      const { name, command } = isFirst ? first : randomCommand(state, this.#simulation);
      if (names.has(name)) continue;
      names.add(name);
      if (command.kind === "purgeTopic" || command.kind === "purgeStream") purged.add(name);
      this.#trace.add(`${command.kind} ${name}`);
      const answer = shard.control(command).then(() => undefined);
      answers.push(
        answer.catch((error: unknown) => {
          this.#failed(name, error);
          if (purged.has(name)) this.#refusedPurgeOf = name;
          this.#history.unclear(name);
        }),
      );
    }
    await settled(this.#simulation, Promise.all(answers));
    this.#noteDeletedGroups(before);
    if (this.#disk.stopped) {
      for (const name of names) this.#history.unclear(name);
      // At level write the messages may go before the purge is durable, which nobody was told of; not those of persisted topics.
      const mayBeGone = this.#options.acknowledge === "write" ? purged : none;
      for (const { log, streamName } of before) {
        if (mayBeGone.has(`stream ${streamName}`) && !log.isPersisted) log.hasEnded = true;
      }
      return;
    }
    this.#history.answered(describe(state), this.#persistedIds());
    const now = new Set(this.#partitions().map(({ log }) => log));
    for (const { log } of before) if (!now.has(log)) log.hasEnded = true;
  }

  /** At level write the offset of a deleted group may go before the deletion is durable: a group that is back begins anew. */
  #noteDeletedGroups(before: readonly OpenPartition[]): void {
    const left = new Set(this.#partitions().flatMap(({ groups }) => groups.map(({ logId }) => logId)));
    for (const { log, groups } of before) {
      for (const { logId } of groups) if (!left.has(logId)) log.offsetOf(logId).changing(undefined);
    }
  }

  #failed(what: string, error: unknown): void {
    this.#trace.add(`  ${what}: ${String(error)}`);
    const isOfDisk = error instanceof IggyError || error instanceof DiskError;
    if (!isOfDisk || !(this.#disk.stopped || this.#faultsPossible)) this.#unexpected ??= error;
  }

  #append(): void {
    const places = this.#partitions();
    if (places.length === 0) return;
    this.#appendTo(this.#pick(places));
  }

  #appendTo({ key, log }: OpenPartition): void {
    const isClosed = this.#process.partitions.find(key) === undefined; // stays so until it is tried again
    const sent = randomMessages(this.#simulation, this.#sentCount, false);
    this.#sentCount += sent.length;
    const logged = log.sending(sent);
    const generation = this.#generation;
    this.#trace.add(`append ${sent[0]!.number}..${sent.at(-1)!.number} to ${key}, log ${log.id}`);
    this.#process.append(key, sent).then(
      () => {
        if (generation !== this.#generation) return;
        for (const message of logged) message.answer = "acknowledged";
      },
      (error: unknown) => {
        // The topic may be deleted while the batch waits.
        if (generation !== this.#generation || log.hasEnded || this.#isGone(log)) return;
        if (!isClosed) this.#failed(`append ${sent[0]!.number}`, error);
        const isUnclear = this.#disk.stopped || (error instanceof IggyError && error.errorName === "CannotSyncFile");
        if (!isUnclear) for (const message of logged) message.answer = "refused";
      },
    );
  }

  /** Where a purge was refused, most often of what it was to purge; where partitions are closed, often one of these. */
  #pick(places: readonly OpenPartition[]): OpenPartition {
    const closed = places.filter(({ key }) => this.#process.partitions.find(key) === undefined);
    if (closed.length > 0 && this.#simulation.chance(50)) return this.#simulation.pick(closed);
    const refused = places.filter(({ streamName }) => `stream ${streamName}` === this.#refusedPurgeOf);
    return this.#simulation.pick(refused.length > 0 && this.#simulation.chance(70) ? refused : places);
  }

  #isGone(log: LogModel): boolean {
    return this.#partitions().every((place) => place.log !== log);
  }

  async #changeOffset(): Promise<void> {
    const places = this.#partitions();
    if (places.length === 0) return;
    const { key, log, groups } = this.#pick(places);
    const partition = this.#process.partitions.find(key);
    if (partition?.counters.hasMessages !== true) return;
    const group = this.#simulation.pick([undefined, ...groups]);
    const consumer: ConsumerKey = group === undefined ? { kind: "consumer", id: 7 } : { kind: "group", id: group.id };
    const offset = this.#simulation.between(0, partition.counters.currentOffset);
    const model = log.offsetOf(group?.logId ?? "consumer");
    this.#trace.add(`offset of ${consumer.kind} ${consumer.id} in ${key} becomes ${offset}`);
    model.changing(offset);
    try {
      const answer = this.#process.shard.offset({ operation: "store", partitionKey: key, consumer, offset });
      // Of a log that a purge ended, and whose files could not be taken away yet, nothing is acknowledged any more.
      assert(offset < log.offsetsEnd, "an offset is stored in the log that has it", { offset, log: log.id });
      model.changed(offset);
      assert(answer instanceof Promise === log.isPersisted, "an offset of a persisted topic is waited for");
      if (!(answer instanceof Promise)) return;
      await settled(this.#simulation, answer);
      model.synced();
    } catch (error) {
      this.#failed("offset", error);
    }
  }

  async #save(): Promise<void> {
    this.#trace.add("save");
    const { length } = this.#history;
    const covered = this.#acknowledged();
    const isDurable = this.#options.enforceFsync || this.#options.acknowledge === "sync";
    try {
      await settled(this.#simulation, this.#process.shard.save());
    } catch (error) {
      this.#failed("save", error);
      return;
    }
    if (!isDurable) return;
    this.#history.synced(length);
    this.#becameSafe(covered);
  }

  #becameSafe(covered: readonly LoggedMessage[]): void {
    for (const message of covered) message.isSafe = true;
    for (const { log } of this.#partitions()) for (const offset of log.offsets.values()) offset.synced();
  }

  #acknowledged(): LoggedMessage[] {
    return this.#partitions().flatMap(({ log }) => log.acknowledged);
  }

  async #closeAndStart(): Promise<void> {
    if (this.#faultsPossible) await this.#heal();
    await this.#simulation.run();
    this.#trace.add("close and start");
    const { length } = this.#history;
    const covered = this.#acknowledged();
    try {
      await settled(this.#simulation, this.#process.close());
    } catch (error) {
      this.#failed("close", error);
      return;
    }
    if (this.#disk.stopped) return; // in what nobody waits for
    this.#history.synced(length);
    this.#becameSafe(covered);
    this.#disk.heal();
    this.#process = this.#start();
    await this.#compare("kill");
  }

  async #crash(kind: CrashKind): Promise<void> {
    let worst = kind;
    this.#end(kind);
    if (this.#simulation.chance(30)) {
      // The machine stops again while the process starts.
      this.#disk.stopAfter(this.#simulation.between(0, 12));
      try {
        this.#start();
        await this.#simulation.run();
      } catch (error) {
        if (!this.#disk.stopped) throw error;
      }
      const next = this.#simulation.pick(["power", "kill"] as const);
      if (next === "power") worst = "power";
      this.#end(next);
    }
    this.#process = this.#start();
    await this.#compare(worst);
  }

  #end(kind: CrashKind): void {
    this.#trace.add(`crash: ${kind}`);
    this.#disk = kind === "power" ? this.#disk.crash() : this.#disk.processCrash();
    this.#disk.heal();
  }

  #start(): WholeProcess {
    this.#generation++;
    this.#faultsPossible = false;
    this.#refusedPurgeOf = undefined;
    for (const directory of ["/", "/data"]) this.#disk.syncDirectory(directory);
    return new WholeProcess(this.#disk, paths, this.#options, this.#clock, this.#trace);
  }

  /** What a start found, with everything that each partition returns. */
  async #compare(kind: CrashKind): Promise<void> {
    const { state, partitions } = this.#process;
    const isSyncLevel = this.#options.acknowledge === "sync";
    assert(!state.areUsersLocked, "a crash alone loses no metadata");
    this.#history.requirePersisted(this.#persistedIds());
    this.#history.recovered(describe(state), kind === "power" && !isSyncLevel);
    for (const { key, log, groups } of this.#partitions()) {
      const partition = partitions.find(key);
      assert(partition !== undefined, "every partition is open", { key });
      const { stored, damagedCount } = await readWhole(this.#simulation, partition, () => true);
      log.recovered(stored, damagedCount, kind, isSyncLevel);
      const { hasMessages, currentOffset } = partition.counters;
      const lastOffset = hasMessages ? currentOffset : -1;
      log.offsetOf("consumer").recovered(partition.getOffset({ kind: "consumer", id: 7 }), kind, lastOffset);
      for (const { id, logId } of groups) {
        log.offsetOf(logId).recovered(partition.getOffset({ kind: "group", id }), kind, lastOffset);
      }
      log.hasEnded = false;
    }
  }

  /** Those that clients see. */
  #partitions(): OpenPartition[] {
    return this.#known.of(this.#process.state);
  }

  #persistedIds(): ReadonlyMap<string, string> {
    return persistedIdsOf(this.#partitions());
  }
}
