// Request and reply codec of every command of our own, as registry.ts has them of those of 0.8.

import type { Codec } from "../codec.ts";
import { sendMessagesRequestCodec } from "../message/send-messages.ts";
import {
  backupPointReplyCodec,
  backupPointRequestCodec,
  beginBackupReplyCodec,
  beginBackupRequestCodec,
} from "./backup.ts";
import type { ExtensionName } from "./codes.ts";
import { followPartitionsReplyCodec, followPartitionsRequestCodec } from "./follow-partitions.ts";
import { getFeaturesReplyCodec, getFeaturesRequestCodec } from "./get-features.ts";
import { joinWithAssignmentReplyCodec, joinWithAssignmentRequestCodec } from "./join-with-assignment.ts";
import { pollWaitingReplyCodec, pollWaitingRequestCodec } from "./poll-waiting.ts";
import { sendWithReceiptReplyCodec } from "./send-with-receipt.ts";
import {
  addCreditReplyCodec,
  addCreditRequestCodec,
  subscribeReplyCodec,
  subscribeRequestCodec,
  unsubscribeReplyCodec,
  unsubscribeRequestCodec,
} from "./subscribe.ts";

/** Codecs by command name. */
export const extensionCodecs = {
  getFeatures: { request: getFeaturesRequestCodec, reply: getFeaturesReplyCodec },
  pollWaiting: { request: pollWaitingRequestCodec, reply: pollWaitingReplyCodec },
  sendWithReceipt: { request: sendMessagesRequestCodec, reply: sendWithReceiptReplyCodec },
  subscribe: { request: subscribeRequestCodec, reply: subscribeReplyCodec },
  addCredit: { request: addCreditRequestCodec, reply: addCreditReplyCodec },
  unsubscribe: { request: unsubscribeRequestCodec, reply: unsubscribeReplyCodec },
  followPartitions: { request: followPartitionsRequestCodec, reply: followPartitionsReplyCodec },
  beginBackup: { request: beginBackupRequestCodec, reply: beginBackupReplyCodec },
  keepBackup: { request: backupPointRequestCodec, reply: backupPointReplyCodec },
  endBackup: { request: backupPointRequestCodec, reply: backupPointReplyCodec },
  joinWithAssignment: { request: joinWithAssignmentRequestCodec, reply: joinWithAssignmentReplyCodec },
} as const satisfies Record<ExtensionName, { request: Codec<unknown>; reply: Codec<unknown> }>;
