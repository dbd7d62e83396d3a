// A poll that waits (docs/protocol-extensions.md): what is asked for, looked up. How it goes on is waiting/waiting-poll.ts.
import { findPartition, requireTopic, type Stream, type Topic } from "../../metadata/index.ts";
import type { Consumer } from "../../protocol/consumer.ts";
import { IggyError } from "../../protocol/errors.ts";
import {
  type PollEnding,
  type PollWaitingRequest,
  waitMsMax,
  waitPartitionsMax,
} from "../../protocol/extensions/poll-waiting.ts";
import { partitionKeyOf } from "../../shard/index.ts";
import type { ConsumerKey, ReadFrom } from "../../storage/index.ts";
import { readFrom } from "../commands/message.ts";
import { requireMember, singleKey } from "../consumers.ts";
import { takeTurn } from "../group-turns.ts";
import { toSafeNumber } from "../numbers.ts";
import { requireRight } from "../rights.ts";
import type { Session } from "../session.ts";
import { type Assignment, assignmentOf } from "../waiting/assignment.ts";
import type { WaitPlan, WantedPartition } from "../waiting/waiting-poll.ts";
import { plainExtension } from "./extension.ts";

export const pollWaiting = plainExtension("pollWaiting", ({ shard, waits }, session, request) => {
  if (request.positions.length > waitPartitionsMax) throw new IggyError("InvalidCommand");
  const { stream, topic } = requireTopic(shard.state, request.stream, request.topic);
  requireRight(shard, session, "pollMessages", stream.id, topic.id);
  const isMember = request.consumer.kind === "group";
  const { plan, wanted } = (isMember ? planOfMember : planOfSingle)(session, request, stream, topic);
  // Who reads several partitions goes round them, and they lie on several shards.
  if (!isMember && wanted.length === 1) {
    session.affinity.note(shard.remoteOwnerOf(partitionKeyOf(stream.id, topic.id, wanted[0]!.partitionId)));
  }
  return waits.poll(session, plan, wanted);
});

interface Planned {
  readonly plan: WaitPlan;
  readonly wanted: readonly WantedPartition[];
}

/** The partition that is named; where none is, those with positions, or partition 0. Error: 3007. */
function planOfSingle(session: Session, request: PollWaitingRequest, stream: Stream, topic: Topic): Planned {
  const consumer = singleKey(request.consumer);
  const positions = request.partitionId === undefined ? positionsOf(request) : noPositions;
  const wanted =
    positions.size === 0
      ? [{ partitionId: request.partitionId ?? 0, from: readFrom(request.strategy, consumer) }]
      : [...positions].map(([partitionId, from]) => ({ partitionId, from }));
  for (const { partitionId } of wanted) {
    if (findPartition(topic, partitionId) !== undefined) continue;
    throw new IggyError("PartitionNotFound", [partitionId, topic.id, stream.id]);
  }
  return { plan: makePlan(session, request, { stream, topic, consumer }), wanted };
}

const noPositions: ReadonlyMap<number, ReadFrom> = new Map();

function positionsOf({ positions }: PollWaitingRequest): ReadonlyMap<number, ReadFrom> {
  return new Map(
    positions.map(({ partitionId, offset }) => [partitionId, { kind: "offset", offset: toSafeNumber(offset) }]),
  );
}

/** Errors: 30, 5000, 5006. */
function planOfMember(session: Session, request: PollWaitingRequest, stream: Stream, topic: Topic): Planned {
  const { key, group, member } = requireMember(session, request.consumer, stream, topic);
  const assignment = assignmentOf(group, member);
  const consumer = { kind: "group", id: key.groupId } as const;
  const byStrategy = readFrom(request.strategy, consumer);
  const positions = positionsOf(request);
  const turn = request.partitionId ?? takeTurn(session.groupTurns, key, assignment.partitionIds);
  const asked = request.partitionId === undefined ? fromTurn(assignment, turn) : [request.partitionId];
  const isOwn = asked.every((partitionId) => assignment.partitionIds.includes(partitionId));
  const isKnown = request.knownAssignment === 0n || request.knownAssignment === assignment.number;
  const wanted = (isOwn ? asked : []).map((partitionId) => ({
    partitionId,
    from: positions.get(partitionId) ?? byStrategy,
  }));
  const ifNothing: PollEnding | undefined = isOwn && isKnown ? undefined : "assignmentChanged";
  const found = { stream, topic, consumer, group: request.consumer, assignment, ifNothing };
  return { plan: makePlan(session, request, found), wanted };
}

interface Found {
  readonly stream: Stream;
  readonly topic: Topic;
  readonly consumer: ConsumerKey;
  readonly group?: Consumer;
  readonly assignment?: Assignment;
  readonly ifNothing?: PollEnding | undefined;
}

/** Field by field: it is kept while the poll waits, and takes no more room than it needs like this. */
function makePlan(session: Session, request: PollWaitingRequest, found: Found): WaitPlan {
  return {
    streamId: found.stream.id,
    topicId: found.topic.id,
    consumer: found.consumer,
    countMax: request.count,
    bytesMax: request.bytesMax === 0 ? undefined : request.bytesMax,
    autoCommit: request.autoCommit,
    waitMs: mayWait(session, request) ? Math.min(request.waitMs, waitMsMax) : 0,
    group: found.group,
    assignment: found.assignment,
    knownAssignment: request.knownAssignment === 0n ? undefined : request.knownAssignment,
    ifNothing: found.ifNothing,
  };
}

/** Over QUIC the next request of a client comes when this one is answered, so nothing could overtake it. */
function mayWait({ transport }: Session, { count }: PollWaitingRequest): boolean {
  return count > 0 && transport !== "quic";
}

/** All of the member's partitions, or as many as one poll reads, those from the turn on first. */
function fromTurn({ partitionIds }: Assignment, turn: number | undefined): readonly number[] {
  const start = turn === undefined ? 0 : Math.max(0, partitionIds.indexOf(turn));
  return [...partitionIds.slice(start), ...partitionIds.slice(0, start)].slice(0, waitPartitionsMax);
}
