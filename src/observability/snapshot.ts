/**
 * The archive that a client gets for the command "snapshot" (spec SB 8.3): one text per part. Unlike the original's it holds
 * no secret: the configuration is the masked one, the log never shows any, and of other processes there are names only, as
 * command lines often have passwords in them. Programs of the system run beside the event loop, with limits on time and output; a part that fails is left out and logged.
 */
import { runProgram } from "./external-program.ts";
import type { Logger } from "./log.ts";
import { readLogTail } from "./log-tail.ts";
import { processReport } from "./process-report.ts";
import { writeZip, type ZipMethod } from "./zip.ts";

/** The names are those of the protocol (spec BP 3.22). */
export type SnapshotPart =
  | "filesystemOverview"
  | "processList"
  | "resourceUsage"
  | "test"
  | "serverLogs"
  | "serverConfig";

export interface SnapshotRequest {
  /** `all`: every part except `test`. */
  readonly types: readonly (SnapshotPart | "all")[];
  /** What the runtime cannot do becomes `deflated`. */
  readonly compression: ZipMethod | "bzip2" | "lzma" | "xz";
  readonly logsDirectory: string;
  /** TOML with its secrets masked. */
  readonly currentConfigMasked: string;
  readonly log: Pick<Logger, "info" | "warn">;
}

/** The newest lines: the archive is made in memory, and the rules of rotation may keep gigabytes. */
const snapshotLogBytesMax = 64 * 1024 * 1024;

const entryNames: Readonly<Record<SnapshotPart, string>> = {
  filesystemOverview: "filesystem_overview",
  processList: "process_list",
  resourceUsage: "resource_usage",
  test: "test",
  serverLogs: "server_logs",
  serverConfig: "server_config",
};

/** The columns of `ps aux`, with the name in the place of the command line. */
const psColumns = "user,pid,pcpu,pmem,vsz,rss,tty,stat,start,time,comm";

const allParts: readonly SnapshotPart[] = [
  "filesystemOverview",
  "processList",
  "resourceUsage",
  "serverLogs",
  "serverConfig",
];

const runtimeMethods: readonly string[] = ["stored", "deflated", "zstd"] satisfies ZipMethod[];

/** The bytes of a ZIP archive. Rejects only if the archive as a whole cannot be written. */
export async function makeSnapshot(request: SnapshotRequest): Promise<Uint8Array> {
  const parts = new Set(request.types.flatMap((type) => (type === "all" ? allParts : [type])));
  const texts = await Promise.all([...parts].map((part) => contentOrNothing(part, request)));
  return writeZip(texts.flat(), methodFor(request), new Date());
}

async function contentOrNothing(part: SnapshotPart, request: SnapshotRequest) {
  try {
    return [{ name: `${entryNames[part]}.txt`, content: Buffer.from(await contentOf(part, request)) }];
  } catch (error) {
    request.log.warn("a part of the snapshot is left out", { part: entryNames[part], error });
    return [];
  }
}

function methodFor({ compression, log }: SnapshotRequest): ZipMethod {
  if (isRuntimeMethod(compression)) return compression;
  log.warn("the snapshot is compressed with deflate instead, as the runtime lacks what was asked for", { compression });
  return "deflated";
}

function isRuntimeMethod(compression: SnapshotRequest["compression"]): compression is ZipMethod {
  return runtimeMethods.includes(compression);
}

async function contentOf(part: SnapshotPart, request: SnapshotRequest): Promise<string | Uint8Array> {
  switch (part) {
    case "filesystemOverview":
      return runProgram(["ls", "-la", "/tmp", "/proc"]);
    case "processList":
      return processList(request);
    case "resourceUsage":
      return runProgram(["top", "-H", "-b", "-n", "1"]);
    case "test":
      return "test\n";
    case "serverLogs":
      return readLogTail(request.logsDirectory, snapshotLogBytesMax);
    case "serverConfig":
      return request.currentConfigMasked;
  }
}

/** The report needs no program, so it is there also where `ps` is missing. */
async function processList({ log }: SnapshotRequest): Promise<string> {
  const list = await runProgram(["ps", "-e", "-o", psColumns]).catch((error: unknown) => {
    log.warn("the snapshot has no list of processes", { error });
    return "not available\n";
  });
  const report = await processReport();
  return `=== Process List (ps -e) ===\n${list}\n\n=== Detailed Process Information ===\n${report}`;
}
