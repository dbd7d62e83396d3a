// Which failures are a command's verdict, and which say that it was not tried (spec P9 7.1, 7.3).
import type { ErrorName } from "../../protocol/errors.ts";
import type { Request09 } from "../../protocol/v09/operations.ts";

/** Refused before the command was tried, whatever the command. */
const untried: ReadonlySet<ErrorName> = new Set([
  "InvalidCommand",
  "InvalidFormat",
  "FeatureUnavailable",
  "Unauthenticated",
  "InvalidTopicSize",
  "TooManyPartitions",
  "UnsupportedOptionKey",
  "OptionsBlockTooLarge",
]);

/** Whether a request is a change of the metadata: such requests are counted by their clients, and have verdicts. */
export function changesMetadata(request: Request09): boolean {
  if (request.kind !== "command" || !request.isFramed) return false;
  return request.name !== "storeConsumerOffset" && request.name !== "deleteConsumerOffset";
}

/** Whether an error stands in the result section, and not in the header. */
export function isVerdict(request: Request09, errorName: ErrorName): boolean {
  return changesMetadata(request) && !untried.has(errorName);
}
