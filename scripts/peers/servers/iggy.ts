// Whippet and the original, Apache Iggy 0.8.0, with the same settings, so that neither answers a send earlier than the other one.

import { type BenchServer, startBenchServer } from "../../bench-server.ts";
import type { Durability } from "./server.ts";

/** Which of the two, from what. */
export type IggyServer = {
  readonly name: "Whippet" | "the original";
  /** Executable; Whippet without one runs from this checkout's source. */
  readonly program: string | undefined;
};

/** How the original saves: as at Whippet's level, or as it does by itself, which answers from memory up to 1,024 messages or 1 MiB. */
export type OriginalSaves = "same" | "default";

const levels = {
  Whippet: {
    write: { IGGY_SYSTEM_PARTITION_ACKNOWLEDGE: "write" },
    sync: { IGGY_SYSTEM_PARTITION_ACKNOWLEDGE: "sync" },
  },
  "the original": {
    write: { IGGY_SYSTEM_PARTITION_MESSAGES_REQUIRED_TO_SAVE: "1" },
    sync: {
      IGGY_SYSTEM_PARTITION_MESSAGES_REQUIRED_TO_SAVE: "1",
      IGGY_SYSTEM_PARTITION_ENFORCE_FSYNC: "true",
    },
  },
} as const;

/** For the notes of a table. */
export const durabilityNotes = (saves: OriginalSaves): readonly string[] => [
  saves === "same"
    ? "write: Whippet with system.partition.acknowledge = write; the original with messages_required_to_save = 1, so that it, too, writes to the file before it answers"
    : "write: Whippet with system.partition.acknowledge = write; the original as it is by itself (messages_required_to_save = 1024, 1 MiB): it answers smaller sends from memory",
  "sync: Whippet with acknowledge = sync; the original with messages_required_to_save = 1 and enforce_fsync = true",
];

/** Starts one with an empty directory; the same number of shards for both. */
export function startIggyServer(
  { name, program }: IggyServer,
  durability: Durability,
  shards: number,
  saves: OriginalSaves = "same",
): Promise<BenchServer> {
  const byItself = name === "the original" && saves === "default" && durability === "write";
  const env = byItself ? {} : levels[name][durability];
  return startBenchServer(false, shards, { env, ...(program === undefined ? {} : { program }) });
}
