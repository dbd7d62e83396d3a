// Subscriptions of one consumer over the connections of its session (docs/protocol-extensions.md): requests out, pushes in.

import { decode, encode } from "../../protocol/codec.ts";
import { errorCodes, IggyError } from "../../protocol/errors.ts";
import { ExtensionCode, PushCode } from "../../protocol/extensions/codes.ts";
import {
  followPartitionsReplyCodec,
  followPartitionsRequestCodec,
} from "../../protocol/extensions/follow-partitions.ts";
import { endPushCodec, partitionsPushCodec, subscriptionIdBytes } from "../../protocol/extensions/pushes.ts";
import {
  addCreditRequestCodec,
  subscribeReplyCodec,
  subscribeRequestCodec,
  unsubscribeRequestCodec,
} from "../../protocol/extensions/subscribe.ts";
import type { Exchange } from "../commands/command.ts";
import type { Session } from "../connection/session.ts";
import { readPollReply } from "./batch-bytes.ts";
import type { PushCommands, PushListener } from "./commands.ts";
import { strategyOf } from "./session-commands.ts";
import type { WaitingPlace } from "./waiting-poll.ts";

/** A subscription belongs to the connection that it was asked for on: none of these is sent again on another one. */
const once = { repeatable: false };

export function pushCommands(session: Session, exchange: Exchange, place: WaitingPlace): PushCommands {
  return {
    listen(listener) {
      session.listener = {
        push: (code, payload) => {
          try {
            tell(listener, code, payload);
          } catch (error) {
            listener.failed(error);
          }
        },
        lost: () => listener.lost(),
      };
    },
    async subscribe(subscriptionId, { partitionId, from, autoCommit }, credit) {
      const request = {
        ...place,
        partitionId,
        strategy: strategyOf(from),
        count: 0,
        autoCommit,
        subscriptionId,
        credit,
      };
      const reply = await exchange(ExtensionCode.subscribe, encode(subscribeRequestCodec, request), once);
      return Number(decode(subscribeReplyCodec, reply).currentOffset);
    },
    async addCredit(subscriptionId, credit) {
      await exchange(ExtensionCode.addCredit, encode(addCreditRequestCodec, { subscriptionId, credit }), once);
    },
    async unsubscribe(subscriptionId) {
      await exchange(ExtensionCode.unsubscribe, encode(unsubscribeRequestCodec, { subscriptionId }), once);
    },
    async follow(subscriptionId) {
      const payload = encode(followPartitionsRequestCodec, { ...place, subscriptionId });
      const reply = await exchange(ExtensionCode.followPartitions, payload, once);
      return decode(followPartitionsReplyCodec, reply).assignmentNumber;
    },
  };
}

function tell(listener: PushListener, code: number, payload: Uint8Array): void {
  if (code === PushCode.messages) {
    if (payload.length < subscriptionIdBytes) throw new IggyError("InvalidFormat");
    const id = new DataView(payload.buffer, payload.byteOffset).getUint32(0, true);
    listener.messages(id, readPollReply(payload.subarray(subscriptionIdBytes)));
  } else if (code === PushCode.partitions) {
    const { subscriptionId, assignmentNumber } = decode(partitionsPushCodec, payload);
    listener.partitions(subscriptionId, assignmentNumber);
  } else if (code === PushCode.end) {
    const { subscriptionId, ending, errorCode } = decode(endPushCodec, payload);
    const error = errorCode === 0 ? errorCodes.Error : errorCode;
    listener.ended(subscriptionId, ending === "error" ? IggyError.ofCode(error) : ending);
  }
  // Of kinds that a later server knows nothing was asked for.
}
