// The probe: what this broker can do beyond 0.8, for the client that asks (docs/protocol-extensions.md).
import type { Feature } from "../../protocol/extensions/get-features.ts";
import { requireLoginHolds } from "../rights.ts";
import { extension } from "./extension.ts";

export const getFeatures = extension("getFeatures", ({ deduplicates }, session) => {
  requireLoginHolds(session);
  const features: Feature[] = [];
  if (deduplicates) features.push("deduplication");
  return { features, limits: [] };
});
