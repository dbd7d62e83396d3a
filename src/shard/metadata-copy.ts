// One shard's copy of the metadata, and the way to change it: a command goes to shard 0, whose control plane makes events of it, and is
// done when every shard has applied them. What an event means for partitions and groups of this shard happens here, too.
import {
  apply,
  type MetadataEvent,
  type MetadataState,
  type RevocationTarget,
  type SettledReason,
} from "../metadata/index.ts";
import { IggyError } from "../protocol/errors.ts";
import type { BackupPoint, BackupPoints } from "./backup-points.ts";
import type { ControlCommand } from "./control-commands.ts";
import type { ControlPlane } from "./control-plane.ts";
import type { GroupOwner } from "./group-owner.ts";
import type { LocalPartitions } from "./local-partitions.ts";
import type { Mailbox } from "./mailbox.ts";
import type { BackupRequest } from "./messages.ts";

export interface MetadataCopyOptions {
  readonly state: MetadataState;
  readonly partitions: LocalPartitions;
  readonly groups: GroupOwner;
  /** To the other shards by shard id; undefined at the own place. */
  readonly mailboxes: readonly (Mailbox | undefined)[];
  /** On shard 0 only. */
  readonly controlPlane: ((broadcast: (event: MetadataEvent) => Promise<void>) => ControlPlane) | undefined;
  /** On shard 0: makes everything durable that the log of metadata holds. Nothing is to be made durable when absent. */
  readonly syncMetadata: (() => Promise<void>) | undefined;
  /** On shard 0. */
  readonly backupPoints: BackupPoints | undefined;
  /** An event is applied here, with its effects on partitions. */
  readonly onEvent: (event: MetadataEvent) => void;
  /** What follows from a change failed. For the log. */
  readonly onFailure: (thrown: unknown) => void;
}

export class MetadataCopy {
  readonly #options: MetadataCopyOptions;
  readonly #controlPlane: ControlPlane | undefined;
  #version = 0;

  constructor(options: MetadataCopyOptions) {
    this.#options = options;
    this.#controlPlane = options.controlPlane?.((event) => this.#broadcast(event));
  }

  /** Grows with every event: what was looked up before may not be true any more. */
  get version(): number {
    return this.#version;
  }

  /** Carries out a command on shard 0. The last event, which every shard has; undefined if there was nothing to do. */
  async control(command: ControlCommand): Promise<MetadataEvent | undefined> {
    if (command.kind === "finishRemovals") this.#options.backupPoints?.removeForgotten();
    if (this.#controlPlane !== undefined) return this.#controlPlane.execute(command);
    const first = this.#options.mailboxes[0];
    if (first === undefined) throw new IggyError("ShardCommunicationError");
    return first.call("control", command);
  }

  /** Points for backups, on shard 0. Errors: those of `BackupPoints`. */
  async backup(request: BackupRequest): Promise<BackupPoint | undefined> {
    const { backupPoints, mailboxes, partitions } = this.#options;
    if (backupPoints === undefined || this.#controlPlane === undefined) {
      if (mailboxes[0] === undefined) throw new IggyError("ShardCommunicationError");
      return mailboxes[0].call("backup", request);
    }
    if (request.action === "make") {
      const others = mailboxes.filter((mailbox) => mailbox !== undefined);
      return backupPoints.make(this.#controlPlane, async (link) => {
        const all = [partitions.linkInto(link), ...others.map((mailbox) => mailbox.call("link", link))];
        await Promise.allSettled(all); // what is refused is removed when nobody adds to it any more
        return Promise.all(all);
      });
    }
    if (request.action === "keep") backupPoints.keep(request.pointId);
    else backupPoints.remove(request.pointId);
    return undefined;
  }

  /** Resolves when all changes that were made before, on whichever shard they were asked, are durable. */
  async sync(): Promise<void> {
    const { syncMetadata, mailboxes } = this.#options;
    await (mailboxes[0] === undefined ? syncMetadata?.() : mailboxes[0].call("syncMetadata", undefined));
  }

  /** An event of shard 0; resolves when its effects here are done. */
  async apply(event: MetadataEvent): Promise<void> {
    apply(this.#options.state, event);
    await this.#follow(event);
  }

  /** A promised partition can move; resolves when it has, or when its time is what will move it. */
  async completeRevocation(target: RevocationTarget, reason: SettledReason): Promise<void> {
    // The owner asks while it carries out an event, which every shard is to have before what follows from it.
    await undefined;
    try {
      await this.control({ kind: "completeRevocation", target, reason });
    } catch (error) {
      this.#options.onFailure(error);
    }
  }

  /** Shard 0: the log has applied the event to the state already. */
  async #broadcast(event: MetadataEvent): Promise<void> {
    const others = this.#options.mailboxes.filter((mailbox) => mailbox !== undefined);
    await Promise.all([...others.map((mailbox) => mailbox.call("apply", event)), this.#follow(event)]);
  }

  /** The event is in the state: its effects here. A disk that refuses one of them does not keep the others away. */
  async #follow(event: MetadataEvent): Promise<void> {
    this.#version++;
    try {
      await this.#options.partitions.follow(event);
    } finally {
      this.#options.groups.follow(event);
      this.#options.onEvent(event);
    }
  }
}
