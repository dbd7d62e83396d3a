// The poll that waits (docs/protocol-extensions.md), as a consumer uses it.

import { ByteReader } from "../../protocol/byte-reader.ts";
import { encode } from "../../protocol/codec.ts";
import type { Consumer } from "../../protocol/consumer.ts";
import { IggyError } from "../../protocol/errors.ts";
import { ExtensionCode } from "../../protocol/extensions/codes.ts";
import {
  noPartitionId,
  pollWaitingHeadCodec,
  pollWaitingRequestCodec,
} from "../../protocol/extensions/poll-waiting.ts";
import type { Identifier } from "../../protocol/identifier.ts";
import type { Exchange } from "../commands/command.ts";
import { readPollReply } from "./batch-bytes.ts";
import type { PollRequest, Waited } from "./commands.ts";

/** Most bytes of messages in a reply: as much as a poll aims at. */
const bytesMax = 1024 * 1024;

export interface WaitingPlace {
  readonly stream: Identifier;
  readonly topic: Identifier;
  readonly consumer: Consumer;
}

/** `requests`, without auto commit if they are a member's: all partitions of a group's member, or some of another consumer, `waitPartitionsMax` at most; each from an offset. */
export async function waitForMessages(
  exchange: Exchange,
  place: WaitingPlace,
  requests: readonly PollRequest[],
  waitMs: number,
  knownAssignment: bigint,
): Promise<Waited> {
  const positions = requests.map(({ partitionId, from }) => {
    if (from.kind !== "offset") throw new TypeError("a poll waits behind an offset");
    return { partitionId, offset: BigInt(from.offset) };
  });
  const [first] = positions;
  const isGroup = place.consumer.kind === "group";
  if (first === undefined && !isGroup) throw new TypeError("a poll waits for one partition at least");
  // A member waits for all that it has, also where that is one or none.
  const isOne = first !== undefined && !isGroup && positions.length === 1;
  const autoCommit = requests.some((request) => request.autoCommit);
  const payload = encode(pollWaitingRequestCodec, {
    ...place,
    partitionId: isOne ? first.partitionId : undefined,
    strategy: isOne ? { kind: "offset", value: first.offset } : { kind: "next", value: 0n },
    count: first === undefined ? 1 : Math.min(...requests.map(({ count }) => count)),
    autoCommit,
    waitMs: Math.floor(waitMs),
    bytesMax,
    knownAssignment,
    positions: isOne ? [] : positions,
  });
  let bytes: Uint8Array;
  try {
    bytes = await exchange(ExtensionCode.pollWaiting, payload, { repeatable: !autoCommit });
  } catch (error) {
    // Another server by now than the one that was asked what it can do.
    if (IggyError.is(error, "InvalidCommand"))
      return { reply: undefined, assignmentNumber: 0n, isRefused: true, isOfStranger: false };
    throw error;
  }
  const reader = new ByteReader(bytes);
  const { ending, assignmentNumber } = pollWaitingHeadCodec.decode(reader);
  const reply = readPollReply(bytes.subarray(reader.position));
  const isAbout =
    reply.partitionId !== noPartitionId && requests.some(({ partitionId }) => partitionId === reply.partitionId);
  // A partition that came to a member meanwhile is read when it is known to be its own.
  const isStranger = reply.messages.messagesCount > 0 && !isAbout;
  if (isStranger && place.consumer.kind !== "group") throw new IggyError("InvalidFormat");
  return {
    reply: isAbout ? reply : undefined,
    assignmentNumber,
    // Behind the end it does not wait either: there was a purge, or it is where the program wanted to begin.
    isRefused: ending === "notWaited" || ending === "offsetsReset",
    isOfStranger: isStranger,
  };
}
