// The probe: what this broker can do beyond 0.8, for the client that asks (docs/protocol-extensions.md).
import type { Feature, FeatureLimit, FeatureLimitName } from "../../protocol/extensions/get-features.ts";
import { waitMsMax, waitPartitionsMax } from "../../protocol/extensions/poll-waiting.ts";
import { pushBytesMax, subscriptionsPerConnectionMax } from "../../protocol/extensions/subscribe.ts";
import { requireLoginHolds } from "../rights.ts";
import { extension } from "./extension.ts";

const limitValues: Readonly<Record<FeatureLimitName, number>> = {
  "wait-ms": waitMsMax,
  "wait-partitions": waitPartitionsMax,
  "subscriptions-per-connection": subscriptionsPerConnectionMax,
  "push-bytes": pushBytesMax,
};
const limits: readonly FeatureLimit[] = Object.entries(limitValues).map(([name, value]) => ({
  name,
  value: BigInt(value),
}));

export const getFeatures = extension("getFeatures", ({ deduplicates }, session) => {
  requireLoginHolds(session);
  const features: Feature[] = [];
  if (session.transport !== "quic") features.push("long-poll", "subscriptions");
  features.push("send-receipts", "group-assignment", "backup");
  if (deduplicates) features.push("deduplication");
  return { features, limits };
});
