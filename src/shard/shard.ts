// One shard: its partitions, its copy of the metadata, and the way to every other shard. Data-plane calls go to the owner
// of the partition, here or there; the caller does not see which. This file knows neither sockets nor wire layouts.
import type { MetadataEvent, MetadataState } from "../metadata/index.ts";
import { assert } from "../platform/assert.ts";
import type { ClientDetails } from "../protocol/records/client-header.ts";
import type { BatchKernel, StorageContext } from "../storage/index.ts";
import type { BackupPoint, BackupPoints } from "./backup-points.ts";
import type { ControlCommand, ControlKind, EventOf } from "./control-commands.ts";
import type { ControlPlane } from "./control-plane.ts";
import type { Counters } from "./counters.ts";
import type { FrameBuffer } from "./frame-memory.ts";
import { GroupOwner } from "./group-owner.ts";
import type { LocalPartitions } from "./local-partitions.ts";
import { createLoopMemory, LoopPulse } from "./loop-watch.ts";
import { Mailbox, type Port, type ShardHandlers } from "./mailbox.ts";
import type {
  AppendRequest,
  BackupRequest,
  BatchPosition,
  Forwarded,
  MovedConnection,
  OffsetReply,
  OffsetRequest,
  ReadRequest,
} from "./messages.ts";
import { MetadataCopy } from "./metadata-copy.ts";
import { PartitionOwner } from "./partition-owner.ts";
import { ownerShardOf } from "./placement.ts";
import { Reporter, type ReportKind, type ReportRequest, type Reports } from "./reports.ts";
import {
  answerOldestSegment,
  deleteSegments,
  type OldestSegmentReply,
  type OldestSegmentRequest,
} from "./retention.ts";
import { saveAll } from "./save-all.ts";
import { type PlacedRead, toShardRead } from "./shard-read.ts";
import { type ShardStatistics, Statistics } from "./statistics.ts";
import { Watches } from "./watches.ts";

/** Most partitions whose segments a consumer keeps that a shard names: metrics have a line for each. */
const heldPartitionsMax = 1000;
/** Looks for a client that is to be disconnected while it moves from shard to shard. */
const disconnectAttempts = 3;

export interface ShardOptions {
  readonly shardId: number;
  readonly shardCount: number;
  readonly state: MetadataState;
  readonly partitions: LocalPartitions;
  readonly counters: Counters;
  readonly storage: StorageContext;
  /** The arena of every shard, this one's included. */
  readonly memories: readonly WebAssembly.Memory[];
  /** 32 random bytes for the message ids of one kernel. */
  readonly makeSeed: () => Uint8Array;
  /** Ports to the other shards by shard id; undefined at the own place. */
  readonly ports: readonly (Port | undefined)[];
  /** Where the storage of this shard counts too; own ones when absent. */
  readonly statistics?: Statistics;
  /** Watched by the main thread; nobody watches when absent. */
  readonly pulse?: LoopPulse;
  /** On shard 0 only. */
  readonly controlPlane: ((broadcast: (event: MetadataEvent) => Promise<void>) => ControlPlane) | undefined;
  /** On shard 0: makes everything durable that the log of metadata holds. Nothing is to be made durable when absent. */
  readonly syncMetadata?: (() => Promise<void>) | undefined;
  /** On shard 0, where backups are to be made. */
  readonly backupPoints?: BackupPoints | undefined;
  /** Clients connected to this shard. */
  readonly localClients: () => readonly ClientDetails[];
  /** Cuts the connection of a client of this shard; whether it is there. Nobody is when absent. */
  readonly disconnectClient?: (clientId: number) => boolean;
  /** Closes a client of this shard that is not logged in, of `source` or of the one with the most; whether there was one. */
  readonly closeWithoutLogin?: (source: string | undefined) => boolean;
  /** An event is applied here, with its effects on partitions. */
  readonly onEvent: (event: MetadataEvent) => void;
  /** Another shard hands a connection over. */
  readonly onAdopt: (connection: MovedConnection) => void;
  /** A request of another shard failed here, which has been told, or what follows from a change of the metadata. For the log. */
  readonly onFailure: (thrown: unknown) => void;
}

/** Where a validated batch lies. */
export interface BatchPlace extends BatchPosition {
  readonly buffer: FrameBuffer;
}

export class Shard {
  readonly shardId: number;
  readonly state: MetadataState;
  readonly counters: Counters;
  readonly statistics: Statistics;
  /** Whoever begins something says so here. */
  readonly pulse: LoopPulse;
  readonly #options: ShardOptions;
  readonly #mailboxes: readonly (Mailbox | undefined)[];
  readonly #metadata: MetadataCopy;
  readonly #owner: PartitionOwner;
  readonly #reporter: Reporter;
  /** Of partitions for which somebody waits, here or at their owners. */
  readonly watches: Watches;
  #nextAsked = 0;

  constructor(options: ShardOptions) {
    this.#options = options;
    this.shardId = options.shardId;
    this.state = options.state;
    this.counters = options.counters;
    this.statistics = options.statistics ?? new Statistics();
    this.pulse = options.pulse ?? new LoopPulse(createLoopMemory(options.shardCount), options.shardId);
    const { state, partitions, memories, makeSeed } = options;
    const groups = new GroupOwner({
      state,
      partitions,
      complete: (target, reason) => this.#metadata.completeRevocation(target, reason),
      onFailure: options.onFailure,
    });
    this.#owner = new PartitionOwner({ state, partitions, groups, memories, makeSeed });
    this.#reporter = new Reporter(options);
    const handlers = this.#handlers();
    this.#mailboxes = options.ports.map((port, shardId) =>
      port === undefined
        ? undefined
        : new Mailbox(port, {
            handlers,
            onRelease: (leaseId) => this.#owner.release(leaseId),
            onAdopt: options.onAdopt,
            onWatch: (message) => this.watches.receive(shardId, message),
            onRequest: (kind) => this.pulse.beganRequest(kind),
            onFailure: options.onFailure,
          }),
    );
    this.watches = new Watches({
      own: partitions.watches,
      remoteOwnerOf: (partitionKey) => this.remoteOwnerOf(partitionKey),
      post: (shardId, message) => this.#mailboxes[shardId]?.watch(message),
    });
    const { controlPlane, syncMetadata, backupPoints, onEvent, onFailure } = options;
    this.#metadata = new MetadataCopy({
      ...{ state, partitions, groups, mailboxes: this.#mailboxes },
      ...{ controlPlane, syncMetadata, backupPoints, onEvent, onFailure },
    });
  }

  /** Grows with every change of the metadata: what was looked up before may not be true any more. */
  get metadataVersion(): number {
    return this.#metadata.version;
  }

  /** Kernel over the memory in which a frame of this shard lies; for checks before the batch is sent to its owner. */
  kernelOf(buffer: FrameBuffer): BatchKernel {
    return this.#owner.kernel(this.shardId, buffer.large);
  }

  /** Appends at the owner; settles at the configured acknowledgement. The buffer must stay until then. */
  append(partitionKey: number, place: BatchPlace): Promise<void> {
    const owner = this.#ownerOf(partitionKey);
    if (owner === undefined) return this.#owner.append(partitionKey, this.shardId, place.buffer.large, place);
    const request = this.#appendRequest(partitionKey, place, false);
    return owner.call("append", request, place.messagesSizeBytes) as Promise<undefined>;
  }

  /** As `append`; resolves with the offset of the first message (`IncomingBatch.firstOffset`). */
  async appendAt(partitionKey: number, place: BatchPlace): Promise<number> {
    const owner = this.#ownerOf(partitionKey);
    if (owner === undefined) return this.#owner.appendAt(partitionKey, this.shardId, place.buffer.large, place);
    const request = this.#appendRequest(partitionKey, place, true);
    const firstOffset = await owner.call("append", request, place.messagesSizeBytes);
    assert(firstOffset !== undefined, "the owner says where the messages are");
    return firstOffset;
  }

  #appendRequest(partitionKey: number, place: BatchPlace, wantsOffset: boolean): Forwarded<AppendRequest> {
    const { buffer, rowsPosition, messagesCount, messagesPosition, messagesSizeBytes } = place;
    return {
      partitionKey,
      wantsOffset,
      createdAtMicros: this.#owner.createdAtMicros(partitionKey),
      arenaShardId: this.shardId,
      large: buffer.large,
      rowsPosition,
      messagesCount,
      messagesPosition,
      messagesSizeBytes,
    };
  }

  /** Reads at the owner. The parts may be used until `release`, which must be called. */
  read(request: ReadRequest): PlacedRead | Promise<PlacedRead> {
    const owner = this.#ownerOf(request.partitionKey);
    if (owner === undefined) return this.#readLocally(request);
    return owner.call("read", this.#forwarded(request)).then((reply) => ({
      ...reply,
      release: () => {
        if (reply.leaseId !== 0) owner.release(reply.leaseId);
      },
    }));
  }

  offset(request: OffsetRequest): OffsetReply | Promise<OffsetReply> {
    const owner = this.#ownerOf(request.partitionKey);
    return owner === undefined ? this.#owner.offset(request) : owner.call("offset", this.#forwarded(request));
  }

  /** With `fsync` what names the partition is durable before its messages. */
  async flush(partitionKey: number, fsync: boolean): Promise<void> {
    if (fsync) await this.#metadata.sync();
    const owner = this.#ownerOf(partitionKey);
    await (owner === undefined
      ? this.#options.partitions.require(partitionKey).flush(fsync)
      : owner.call("flush", this.#forwarded({ partitionKey, fsync })));
  }

  /** What the cleaner of topic sizes asks the owner of a partition. */
  oldestSegment(request: OldestSegmentRequest): OldestSegmentReply | Promise<OldestSegmentReply> {
    const owner = this.#ownerOf(request.partitionKey);
    return owner === undefined
      ? answerOldestSegment(this.#options.partitions.require(request.partitionKey), request)
      : owner.call("oldestSegment", this.#forwarded(request));
  }

  /** Removes up to `count` of the oldest segments of a partition; how many it were (spec SB 5.2). */
  async deleteSegments(partitionKey: number, count: number): Promise<number> {
    const owner = this.#ownerOf(partitionKey);
    return owner === undefined
      ? deleteSegments(this.#options.partitions.require(partitionKey), count)
      : owner.call("deleteSegments", this.#forwarded({ partitionKey, count }));
  }

  /**
   * Changes metadata through shard 0; resolves when every shard has applied what it led to. The last event; undefined if
   * there was nothing to do.
   */
  control<K extends ControlKind>(command: ControlCommand & { readonly kind: K }): Promise<EventOf<K>> {
    return this.#metadata.control(command) as Promise<EventOf<K>>;
  }

  /** Points for backups (`BackupPoints`): the point that was made. */
  backup(request: BackupRequest): Promise<BackupPoint | undefined> {
    return this.#metadata.backup(request);
  }

  /** Clients of every shard, each once. One that moves away from here or to here meanwhile is in one of the own lists. */
  async clients(): Promise<ClientDetails[]> {
    const others = this.#mailboxes.filter((mailbox) => mailbox !== undefined);
    const before = this.#options.localClients();
    const lists = await Promise.all(others.map((mailbox) => mailbox.call("clients", undefined)));
    const all = [...before, ...lists.flat(), ...this.#options.localClients()];
    return [...new Map(all.map((client) => [client.clientId, client])).values()];
  }

  /** Cuts the connection of a client, on whichever shard it is; false: there is no such client any more. */
  async disconnectClient(clientId: number): Promise<boolean> {
    // A client that is on its way to another shard is on neither for a moment, yet listed by one.
    for (let attempt = 0; attempt < disconnectAttempts; attempt++) {
      if (this.#options.disconnectClient?.(clientId) === true) return true;
      const others = this.#mailboxes.filter((mailbox) => mailbox !== undefined);
      const found = await Promise.all(others.map((mailbox) => mailbox.call("disconnectClient", clientId)));
      if (found.includes(true)) return true;
      if (!(await this.clients()).some((client) => client.clientId === clientId)) return false;
    }
    return false;
  }

  /** Has another shard close a client that is not logged in, of `source` or of the one with the most; whether one did. */
  async makeRoomElsewhere(source: string | undefined): Promise<boolean> {
    const others = this.#mailboxes.filter((mailbox) => mailbox !== undefined);
    const first = this.#nextAsked++;
    for (let index = 0; index < others.length; index++) {
      if (await others[(first + index) % others.length]!.call("makeRoom", source)) return true;
    }
    return false;
  }

  /** What every shard has done, this one first. */
  async allStatistics(): Promise<ShardStatistics[]> {
    const others = this.#mailboxes.filter((mailbox) => mailbox !== undefined);
    return [
      this.#ownStatistics(),
      ...(await Promise.all(others.map((mailbox) => mailbox.call("statistics", undefined)))),
    ];
  }

  /** Asks every shard for what it owns of that; this one is the first. Rejects with the first failure (reports.ts). */
  reports<K extends ReportKind>(request: Extract<ReportRequest, { kind: K }>): Promise<Reports[K]["answer"][]> {
    const others = this.#mailboxes.filter((mailbox) => mailbox !== undefined);
    const answers = [this.#reporter.answer(request), ...others.map((mailbox) => mailbox.call("report", request))];
    return Promise.all(answers) as Promise<Reports[K]["answer"][]>;
  }

  #ownStatistics(): ShardStatistics {
    const mailbox = { sentCount: 0, waitedCount: 0, depth: 0 };
    for (const to of this.#mailboxes) {
      if (to === undefined) continue;
      mailbox.sentCount += to.counters.sent;
      mailbox.waitedCount += to.counters.waited;
      mailbox.depth += to.depth;
    }
    this.statistics.set("stalledLoops", this.pulse.stallsCount); // counted by the main thread
    this.statistics.set("eventLoopDelaySeconds", this.pulse.delaySumMs / 1000);
    return this.statistics.snapshot(this.shardId, mailbox, this.#options.partitions.held(heldPartitionsMax));
  }

  /**
   * The saver's tick (spec SB 8.9): the metadata, then every partition of this shard, one after the other, so that after a
   * power loss no message is without what names it. Rejects with the first failure; all are tried.
   */
  async save(): Promise<void> {
    const metadata = { save: () => this.#metadata.sync() };
    const { storage, partitions } = this.#options;
    partitions.retryClosed();
    return saveAll(storage.options.enforceFsync ? [metadata, ...partitions.all] : partitions.all);
  }

  /**
   * Flushes, syncs and closes every partition of this shard, after the metadata (spec SB 8.10). All are tried; the first
   * failure is thrown.
   */
  async close(): Promise<void> {
    const [metadata] = await Promise.allSettled([this.#metadata.sync()]);
    const closed = await Promise.allSettled([...this.#options.partitions.all].map((partition) => partition.close()));
    const failed = [metadata, ...closed].find((result) => result.status === "rejected");
    if (failed !== undefined) throw failed.reason;
  }

  /** Shard that owns the partition, if it is another one. */
  remoteOwnerOf(partitionKey: number): number | undefined {
    const owner = ownerShardOf(partitionKey, this.#options.shardCount);
    return owner === this.shardId ? undefined : owner;
  }

  /** Hands a connection over. Its descriptor belongs to the other shard from now on. */
  moveConnection(shardId: number, connection: MovedConnection): void {
    this.statistics.add("movedConnections");
    this.#mailboxes[shardId]?.adopt(connection);
  }

  #ownerOf(partitionKey: number): Mailbox | undefined {
    return this.#mailboxes[ownerShardOf(partitionKey, this.#options.shardCount)];
  }

  /** With what tells the partition from one that gets its number while the request is under way. */
  #forwarded<Request extends { readonly partitionKey: number }>(request: Request): Forwarded<Request> {
    return { ...request, createdAtMicros: this.#owner.createdAtMicros(request.partitionKey) };
  }

  #readLocally(request: ReadRequest): PlacedRead | Promise<PlacedRead> {
    const result = this.#owner.read(request);
    return result instanceof Promise ? result.then(toShardRead) : toShardRead(result);
  }

  #handlers(): ShardHandlers {
    const owner = this.#owner;
    /** Handlers of requests for one partition: only for the one that the other shard meant. */
    const meant =
      <Request extends { readonly partitionKey: number }, Reply>(handle: (request: Request) => Reply) =>
      (forwarded: Forwarded<Request>): Reply => {
        owner.requireMeant(forwarded);
        return handle(forwarded);
      };
    return {
      append: meant((request) => {
        const { partitionKey, arenaShardId, large, wantsOffset } = request;
        if (wantsOffset) return owner.appendAt(partitionKey, arenaShardId, large, request);
        return owner.append(partitionKey, arenaShardId, large, request) as Promise<undefined>;
      }),
      read: meant((request) => {
        const result = owner.read(request);
        return result instanceof Promise ? result.then((read) => owner.lease(read)) : owner.lease(result);
      }),
      offset: meant((request) => owner.offset(request)),
      oldestSegment: meant((request) => this.oldestSegment(request)),
      deleteSegments: meant(({ partitionKey, count }) => this.deleteSegments(partitionKey, count)),
      flush: meant(
        ({ partitionKey, fsync }) => this.#options.partitions.require(partitionKey).flush(fsync) as Promise<undefined>,
      ),
      control: (command) => this.#metadata.control(command),
      apply: async (event) => {
        await this.#metadata.apply(event);
        return undefined;
      },
      syncMetadata: () => this.#metadata.sync() as Promise<undefined>,
      backup: (request) => this.#metadata.backup(request),
      link: (request) => this.#options.partitions.linkInto(request),
      clients: () => this.#options.localClients(),
      disconnectClient: (clientId) => this.#options.disconnectClient?.(clientId) ?? false,
      makeRoom: (source) => this.#options.closeWithoutLogin?.(source) ?? false,
      statistics: () => this.#ownStatistics(),
      report: (request) => this.#reporter.answer(request),
    };
  }
}
