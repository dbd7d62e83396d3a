// Which parts of the metadata change, for readers of the console: that they do, not how, since whoever shows a list loads it
// again. Many changes of a kind in a short time are one.

import { isAllowed, type MetadataEvent } from "../../metadata/index.ts";
import type { Change, ChangeKind } from "../../protocol/console/live.ts";
import type { Operation } from "../../protocol/permissions.ts";
import type { Shard } from "../../shard/index.ts";
import { requireLogin, userOf } from "../rights.ts";
import type { Session } from "../session.ts";
import type { Channel } from "./tail.ts";

/** Events and what they change; what is not here is shown nowhere. */
const kinds: { readonly [K in MetadataEvent["kind"]]?: ChangeKind } = {
  streamCreated: "stream",
  streamUpdated: "stream",
  streamDeleted: "stream",
  streamPurged: "stream",
  topicCreated: "topic",
  topicUpdated: "topic",
  topicDeleted: "topic",
  topicPurged: "topic",
  partitionsCreated: "topic",
  partitionsDeleted: "topic",
  groupCreated: "group",
  groupDeleted: "group",
  groupMemberJoined: "group",
  groupMembersLeft: "group",
  userCreated: "user",
  userUpdated: "user",
  userDeleted: "user",
  permissionsUpdated: "user",
};

/** Who may see that there are such things; on a stream, on that one. */
const rights: Readonly<Record<ChangeKind, Operation>> = {
  stream: "getStream",
  topic: "getStream",
  group: "getStream",
  user: "getUsers",
};

/** A kind is told at most once in this time. */
const quietMs = 250;

export class Changes implements Channel {
  readonly #shard: Shard;
  readonly #session: Session;
  readonly #tell: (change: Change) => void;
  /** Kinds that were told lately, and what happened since. */
  readonly #waiting = new Map<ChangeKind, { timer: Timer; change: Change | undefined }>();

  /** Errors: 40. */
  constructor(shard: Shard, session: Session, tell: (change: Change) => void) {
    requireLogin(session);
    this.#shard = shard;
    this.#session = session;
    this.#tell = tell;
  }

  /** An event is applied. */
  follow(event: MetadataEvent): void {
    const kind = kinds[event.kind];
    if (kind === undefined) return;
    const user = userOf(this.#shard, this.#session);
    // The own rights are everybody's business.
    const isOwn = "userId" in event && event.userId === user?.id;
    const streamId = "streamId" in event ? event.streamId : undefined;
    if (!isOwn && !isAllowed(user, rights[kind], streamId)) return;
    const change = streamId === undefined ? { kind } : { kind, streamId };
    const waiting = this.#waiting.get(kind);
    if (waiting !== undefined) {
      waiting.change = waiting.change === undefined ? change : { kind };
      return;
    }
    this.#tell(change);
    this.#rest(kind);
  }

  credit(): void {}

  drained(): void {}

  recheck(): void {
    requireLogin(this.#session);
  }

  close(): void {
    for (const { timer } of this.#waiting.values()) clearTimeout(timer);
    this.#waiting.clear();
  }

  #rest(kind: ChangeKind): void {
    const timer = setTimeout(() => {
      const change = this.#waiting.get(kind)?.change;
      this.#waiting.delete(kind);
      if (change === undefined) return;
      this.#tell(change);
      this.#rest(kind);
    }, quietMs);
    this.#waiting.set(kind, { timer, change: undefined });
  }
}
