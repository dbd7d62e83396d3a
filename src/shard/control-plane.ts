// The single writer of metadata, on shard 0. A command becomes events; an event is in the log (where it is to survive a
// restart), then durable (where that is asked), then in the state of every shard; only then is it answered, so that a client
// reads its own write wherever it asks. Every shard gets the events in the order of the log, also those about the members of
// groups, which are not in it.
import {
  isLogged,
  LimitReached,
  logIdBytes,
  type MetadataEvent,
  type MetadataLimits,
  type MetadataLog,
  makesPersisted,
  streamsMax,
  type TopicDefaults,
  topicsPerStreamMax,
} from "../metadata/index.ts";
import type { Clock } from "../platform/clock.ts";
import type { Disk } from "../platform/disk.ts";
import { type Random, systemRandom } from "../platform/random.ts";
import { IggyError } from "../protocol/errors.ts";
import type { StorageCounter, StorageLog } from "../storage/index.ts";
import { type ControlCommand, type PlanSettings, planControl } from "./control-commands.ts";
import { TakenDirectories } from "./directories.ts";
import { EventOrder } from "./event-order.ts";
import type { DataPaths } from "./paths.ts";
import { type Place, placesEndedBy, RemovedPlaces } from "./removals.ts";

const limitQuietMicros = 60_000_000;

export interface ControlPlaneOptions {
  readonly log: MetadataLog;
  readonly disk: Disk;
  readonly clock: Clock;
  /** One that never steps, for how long promises in groups wait; `clock` if not given. */
  readonly elapsed?: Clock;
  readonly paths: DataPaths;
  readonly topicDefaults: TopicDefaults;
  /** `personal_access_token.max_tokens_per_user` */
  readonly tokensPerUserMax: number;
  /** The section `limits`; undefined: no more than what can exist. */
  readonly limits?: MetadataLimits;
  /** For the ids of logs and the names of what is removed; the system's when absent. */
  readonly random?: Random;
  /** Takes what nobody waits for. */
  readonly messages?: StorageLog;
  readonly count?: (key: StorageCounter, by?: number) => void;
  /** Carries the event to every shard, this one included; resolves when its effects are done everywhere. */
  readonly broadcast: (event: MetadataEvent) => Promise<void>;
}

export class ControlPlane {
  readonly #options: ControlPlaneOptions;
  readonly #directories: TakenDirectories;
  readonly #places: RemovedPlaces;
  readonly #order: EventOrder;
  /** Removals that are on their way, by their number. */
  readonly #removing = new Map<number, { readonly event: MetadataEvent; readonly settled: Promise<void> }>();
  /** Those whose files are gone; the metadata remember them until the next `finishRemovals`. */
  readonly #removed = new Set<number>();
  /** When it was last told that a limit is reached, by its key. */
  readonly #limitsTold = new Map<string, number>();
  /** Commands that are being carried out. */
  readonly #running = new Set<Promise<unknown>>();
  /** While set, no command begins. */
  #standstill: Promise<unknown> | undefined;

  constructor(options: ControlPlaneOptions) {
    this.#options = options;
    const { log, disk, paths, random, messages, count, broadcast } = options;
    this.#directories = new TakenDirectories({ disk, streamsDirectory: paths.streamsDirectory, random, log: messages });
    this.#places = new RemovedPlaces({ disk, paths, directories: this.#directories, log: messages, count });
    this.#order = new EventOrder((event) => {
      log.publish(event);
      return broadcast(event);
    });
  }

  /**
   * Carries out one command; throws the documented IggyError where it cannot be done, CannotAppendToFile (10005) or
   * CannotSyncFile (10009) where the log cannot take it. Calls may overlap. The last event of the command; undefined where
   * there was nothing to do.
   */
  async execute(command: ControlCommand): Promise<MetadataEvent | undefined> {
    while (this.#standstill !== undefined) await this.#standstill;
    const running = this.#execute(command);
    this.#running.add(running);
    try {
      return await running;
    } finally {
      this.#running.delete(running);
    }
  }

  /**
   * Runs `work` while no command is under way, and every shard has what came before; those that come meanwhile wait for its end. For
   * a moment, since they wait. Rejects as `work` does.
   */
  async atStandstill<T>(work: () => Promise<T>): Promise<T> {
    while (this.#standstill !== undefined) await this.#standstill;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#standstill = promise;
    try {
      await Promise.allSettled([...this.#running]);
      return await work();
    } finally {
      this.#standstill = undefined;
      resolve();
    }
  }

  async #execute(command: ControlCommand): Promise<MetadataEvent | undefined> {
    if (command.kind === "finishRemovals") await this.#retryRemovals();
    for (;;) {
      const events = this.#plan(command);
      const removing = events.flatMap((event) => this.#removingBefore(event));
      if (removing.length > 0) {
        // After waiting, the plan is made anew: nothing may come between a plan and its entry.
        await Promise.all(removing);
        continue;
      }
      // Everything up to the first wait of each, in order: no other command comes between.
      const outcomes = await Promise.allSettled(events.map((event) => this.#carryOut(event)));
      const failed = outcomes.find((outcome) => outcome.status === "rejected");
      if (failed === undefined) return events.at(-1);
      if (!this.#isBystander(events, failed.reason)) throw failed.reason;
    }
  }

  #plan(command: ControlCommand): readonly MetadataEvent[] {
    const { log, clock, elapsed = clock, topicDefaults, tokensPerUserMax, limits } = this.#options;
    const settings: PlanSettings = {
      nowMicros: clock.nowMicros(),
      elapsedMicros: elapsed.nowMicros(),
      topicDefaults,
      tokensPerUserMax,
      limits,
      makeLogId: this.#makeLogId,
      isStreamIdUsable: (streamId) => streamId >= streamsMax || this.#isUsable({ streamId }),
      isTopicIdUsable: (streamId, topicId) => topicId >= topicsPerStreamMax || this.#isUsable({ streamId, topicId }),
      finishedRemovals: this.#removed,
    };
    try {
      return planControl(log.state, command, settings);
    } catch (thrown) {
      if (thrown instanceof IggyError && thrown.cause instanceof LimitReached) this.#tellLimit(thrown.cause, settings);
      throw thrown;
    }
  }

  /** With the key to change, which the client does not learn; once a minute, as it may ask again and again. */
  #tellLimit({ key }: LimitReached, { nowMicros }: PlanSettings): void {
    const toldMicros = this.#limitsTold.get(key);
    if (toldMicros !== undefined && Math.abs(nowMicros - toldMicros) < limitQuietMicros) return;
    this.#limitsTold.set(key, nowMicros);
    this.#options.messages?.warn("a request was refused: a limit is reached", { key });
  }

  readonly #makeLogId = (): string => {
    const bytes = Buffer.alloc(logIdBytes);
    (this.#options.random ?? systemRandom).fill(bytes);
    return bytes.toString("hex");
  };

  /** What a removal has not taken away yet is not in the way of others: they get another number. */
  #isUsable(place: Place): boolean {
    return this.#places.isUsable(this.#options.log.state, place, (removalId) => !this.#removed.has(removalId));
  }

  /**
   * The numbers of partitions follow each other, so new ones may have to wait for those that are just being deleted. Whatever
   * else lies in their places is set aside, or, if it cannot be moved, keeps them closed.
   */
  #removingBefore(event: MetadataEvent): Promise<void>[] {
    if (event.kind !== "partitionsCreated") return [];
    const { streamId, topicId, count } = event;
    const removing = [...this.#removing.values()].filter(
      ({ event: ends }) => ends.kind === "partitionsDeleted" && ends.streamId === streamId && ends.topicId === topicId,
    );
    if (removing.length > 0) return removing.map(({ settled }) => settled);
    const topic = this.#options.log.state.streams.byId.get(streamId)?.topics.byId.get(topicId);
    const start = topic?.partitions.length ?? 0;
    for (let partitionId = start; partitionId < start + count; partitionId++) {
      this.#isUsable({ streamId, topicId, partitionId });
    }
    return [];
  }

  async #carryOut(event: MetadataEvent): Promise<void> {
    const { log } = this.#options;
    const ended = placesEndedBy(log.state, event);
    const mustBeDurable = makesPersisted(log.state, event);
    log.write(event, mustBeDurable);
    const told = this.#order.tell(event, this.#readiness());
    const removalId = "removalId" in event ? event.removalId : undefined;
    if (event.kind === "removalsFinished") for (const id of event.removalIds) this.#removed.delete(id);
    if (removalId === undefined) {
      await told;
      if (mustBeDurable) await log.sync(); // it is, unless another sync that is under way fails
      return;
    }
    const removing = this.#finishRemoval(removalId, ended, told);
    const settled = removing.catch(() => undefined).then(() => void this.#removing.delete(removalId));
    this.#removing.set(removalId, { event, settled });
    return removing;
  }

  /**
   * What an event waits for before anybody may see it; undefined: nothing. Where durability is not asked, none waits: the
   * state that shards read is the writer's own then, and must not know of a topic whose partitions are not made yet.
   */
  #readiness(): Promise<unknown> | undefined {
    return this.#isSeenDurable ? this.#options.log.committed() : undefined;
  }

  /** Whether nothing is seen before it is durable. */
  get #isSeenDurable(): boolean {
    const { log } = this.#options;
    return log.state !== log.publishedState;
  }

  /** Resolves when every deletion and purge that was written is durable. Rejects with CannotSyncFile (10009). */
  async #syncRemovals(): Promise<void> {
    try {
      await this.#options.log.sync();
    } catch (error) {
      this.#options.messages?.warn("a deletion or purge is not durable yet", { error: String(error) });
      throw error;
    }
  }

  /**
   * The event is carried to every shard: its files follow. They stay, and their number stays taken, where that cannot be done.
   * Rejects with CannotSyncFile (10009) where it is carried out and not durable: a power loss may take it back, whole, and
   * nobody was told that it does not.
   */
  async #finishRemoval(removalId: number, ended: readonly Place[], told: Promise<void>): Promise<void> {
    const [durable, carried] = await Promise.allSettled([this.#isSeenDurable || this.#syncRemovals(), told]);
    for (const outcome of [carried, durable]) if (outcome.status === "rejected") throw outcome.reason;
    if (this.#places.takeAway(this.#options.log.state, ended)) this.#removed.add(removalId);
    void this.#directories.deleteRemoved();
  }

  /** Those that are durable: until then the files are of something that a power loss may bring back. */
  async #retryRemovals(): Promise<void> {
    const { log } = this.#options;
    if (log.state.removals.size > 0) await this.#syncRemovals();
    const { state } = log;
    for (const removal of state.removals.values()) {
      const { removalId } = removal;
      if (this.#removing.has(removalId) || this.#removed.has(removalId)) continue;
      if (this.#places.finish(state, removal, false)) this.#removed.add(removalId);
    }
    void this.#directories.deleteRemoved();
  }

  /**
   * Whether a command was refused only because it stood behind others whose sync failed. Who is in which group is in no file,
   * and others rely on it: it is planned anew, without those that are refused.
   */
  #isBystander(events: readonly MetadataEvent[], reason: unknown): boolean {
    return (
      reason instanceof IggyError && reason.errorName === "CannotSyncFile" && events.every((event) => !isLogged(event))
    );
  }
}
