// The door of the server layer.
export type { MetadataEvent } from "../metadata/index.ts";
export { tellLogout, tellRefresh, tellRefused } from "./audit.ts";
export { fencedPoll } from "./command.ts";
export { commandTable } from "./command-table.ts";
export type { GivenOptions, ShownStreamDetails, ShownTopicDetails, ShownTopicHeader } from "./command-values.ts";
export { syncGroup } from "./commands/group-sync.ts";
export { Changes } from "./console/changes.ts";
export { settingsFor } from "./console/config.ts";
export { disconnectClient } from "./console/disconnect.ts";
export { Export, type ExportArgs, type ExportBound } from "./console/export.ts";
export { groupHistoryOf } from "./console/group-history.ts";
export { GroupLags } from "./console/groups.ts";
export { healthOf } from "./console/health.ts";
export { historyOf } from "./console/history.ts";
export { lagOf, requireVisibleGroup } from "./console/lag.ts";
export { LogChannel, logOf } from "./console/log.ts";
export { Metrics } from "./console/metrics.ts";
export { moveOffsets } from "./console/move-offsets.ts";
export { namedObjects } from "./console/named-objects.ts";
export { Repeating } from "./console/repeating.ts";
export { historyColumns, Sampler } from "./console/sampler.ts";
export { Scan, ScanSlots } from "./console/scan.ts";
export { type Channel, Tail, type TailReader } from "./console/tail.ts";
export { type ConsumerPlace, offsetsOf, partitionsOf, segmentsOf, type TopicPlace } from "./console/topic-parts.ts";
export type { ServerContext } from "./context.ts";
export { dispatch, isLongRequest, requireBeforehand } from "./dispatch.ts";
export { createHttpSession, execute, measured, requireTarget } from "./execute.ts";
export { sendWithReceipt } from "./extensions/send-with-receipt.ts";
export { openSubscription } from "./extensions/subscribe.ts";
export { isServerFault } from "./faults.ts";
export { type GroupLag, readGroupLags } from "./group-lags.ts";
export { Logins } from "./logins/logins.ts";
export { sourceOf } from "./logins/network.ts";
export { requireWritable } from "./read-only.ts";
export { Refusals } from "./refusals.ts";
export { emptyReply, isPollReply, type PollReply, type Reply } from "./reply.ts";
export { currentLoginOf, holds, requireLogin, requireLoginHolds, requireSomewhere } from "./rights.ts";
export { type SegmentHolderView, segmentHolders, segmentHoldersOf } from "./segment-holders.ts";
export { EarlierClientError, type SentMessages, sendMessages, sendMessagesAt } from "./send-messages.ts";
export {
  createSession,
  isLoggedIn,
  type Session,
  type SessionState,
  sessionStateOf,
  type UserLogin,
} from "./session.ts";
export { Sessions } from "./sessions.ts";
export type { PushTarget } from "./subscriptions/push-target.ts";
export type { SubscribedState } from "./subscriptions/state.ts";
export { SubscriptionDesk } from "./subscriptions/subscription-desk.ts";
export { describeOptions } from "./topic-options.ts";
export { dispatch09 } from "./v09/dispatch.ts";
export { Eviction } from "./v09/eviction.ts";
export { type Exchange09, exchangeOf, isSend09 } from "./v09/exchange.ts";
export { refusalOfSendHeader09, sendMessages09, startBytesOfSend09 } from "./v09/send-messages.ts";
export { isVerdict } from "./v09/verdicts.ts";
export { allTotals, topicTotals } from "./views.ts";
export { Deadlines } from "./waiting/deadlines.ts";
export { WaitingPolls } from "./waiting/waiting-polls.ts";
