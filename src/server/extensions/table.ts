// Every command of our own, by code (docs/protocol-extensions.md). A send with receipt is not here, as no send is in the table of
// commands: its payload lies in frame memory.
import { ExtensionCode } from "../../protocol/extensions/codes.ts";
import { beginBackup, endBackup, keepBackup } from "./backup.ts";
import type { Extension } from "./extension.ts";
import { getFeatures } from "./features.ts";
import { joinWithAssignment } from "./join-with-assignment.ts";
import { pollWaiting } from "./poll-waiting.ts";
import { addCredit, followPartitions, subscribe, unsubscribe } from "./subscribe.ts";

const extensions: readonly Extension[] = [
  getFeatures,
  pollWaiting,
  joinWithAssignment,
  subscribe,
  addCredit,
  unsubscribe,
  followPartitions,
  beginBackup,
  keepBackup,
  endBackup,
];

export const extensionTable: ReadonlyMap<number, Extension> = new Map(
  extensions.map((extension) => [ExtensionCode[extension.name], extension]),
);
