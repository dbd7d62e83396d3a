// `whippet snapshot`: an archive about the server and its machine.

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type SnapshotType, SnapshotTypeCode } from "../../protocol/records/enumerations.ts";
import { snakeNameOf } from "../../protocol/snake-name.ts";
import { type Command, serverCommand } from "../command.ts";
import { sizeWords } from "../output/words.ts";
import { oneOf, option, several } from "../parameters.ts";
import { problemOfWriting } from "../transfer/files.ts";
import { UsageError } from "../usage-error.ts";
import { nonEmpty } from "../values.ts";

const compressions = ["stored", "deflated", "bzip2", "zstd", "lzma", "xz"] as const;

/** The original's names: `server_logs`. */
const typeNames: ReadonlyMap<string, SnapshotType> = new Map(
  Object.keys(SnapshotTypeCode).map((name) => [
    snakeNameOf(name),
    // Keys of the table, which the compiler does not know of `Object.keys`.
    name as SnapshotType,
  ]),
);

/** Without "test" and the configuration, as in the original. */
const usualTypes: readonly SnapshotType[] = ["filesystemOverview", "processList", "resourceUsage", "serverLogs"];

function snapshotType(given: string): SnapshotType {
  const type = typeNames.get(given);
  if (type === undefined) throw new UsageError(`is not one of ${[...typeNames.keys()].join(", ")}`);
  return type;
}

function fileName(now: Date): string {
  const digits = (value: number) => String(value).padStart(2, "0");
  const day = `${now.getFullYear()}${digits(now.getMonth() + 1)}${digits(now.getDate())}`;
  return `iggy_snapshot_${day}_${digits(now.getHours())}${digits(now.getMinutes())}${digits(now.getSeconds())}.zip`;
}

const snapshot = serverCommand({
  words: ["snapshot"],
  summary: "Write an archive about the server and its machine",
  details: "A ZIP archive with a text for each type, for whoever looks for what is wrong.",
  examples: ["snapshot", "snapshot -s server_logs server_config -o /tmp"],
  options: {
    compression: option("-c, --compression <METHOD>", oneOf(compressions), `${compressions.join(", ")} (deflated)`, {
      choices: compressions,
    }),
    types: several("-s, --snapshot-types <TYPE>", snapshotType, `What it tells: ${[...typeNames.keys()].join(", ")}`, {
      choices: [...typeNames.keys()],
    }),
    directory: option("-o, --out-dir <DIR>", nonEmpty, "Where to write it (the working directory)"),
  },
  right: () => ({ what: "take snapshots of the server", names: ["read_servers", "manage_servers"] }),
  async run(client, { compression, types, directory = "." }, output) {
    const chosen = types.length === 0 ? usualTypes : types;
    const archive = await client.getSnapshot({ types: chosen, ...(compression === undefined ? {} : { compression }) });
    const path = join(directory, fileName(new Date()));
    await writeFile(path, archive, { flag: "wx", mode: 0o600 }).catch((error: unknown) => {
      throw problemOfWriting(error, path);
    });
    if (output.format === "table") return output.say(`Wrote ${path} (${sizeWords(BigInt(archive.length))}).`);
    await output.show({ document: { path, size: archive.length }, shown: [path], list: [[path, archive.length]] });
  },
});

export const commands: readonly Command[] = [snapshot];
