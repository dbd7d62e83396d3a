// `whippet backup`: asks the running broker for a point and copies it. The broker works on; what it deletes or purges meanwhile is
// in the copy.
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { sizeText } from "../doctor/report.ts";
import { IggyError } from "../protocol/errors.ts";
import type { BackupPointReply } from "../protocol/extensions/backup.ts";
import { writeDurably } from "./file-copies.ts";
import { BackupError, type BackupHost } from "./host.ts";
import { copyPoint } from "./point-copy.ts";
import { TargetDirectory } from "./target-directory.ts";
import { verify } from "./verify.ts";

/** A client that is logged in. */
export interface BackupClient {
  beginBackup(): Promise<BackupPointReply>;
  keepBackup(pointId: string): Promise<void>;
  endBackup(pointId: string): Promise<void>;
  close(): Promise<void>;
}

export interface BackupOptions {
  readonly to: string;
  /** Sealed segments get second names where the file system can, so that they cost no room. */
  readonly mayLink: boolean;
  readonly verifies: boolean;
}

const refusedText =
  "the broker could make no point to copy from: too many backups are under way, or its disk refuses; its log says which (error 9000)";

/** Often enough for a broker that removes a point after a minute without a word. */
const keepMs = 15_000;

/** Name of the file that says what the directory is. */
export const backupName = "backup.json";

/** What is not in it, and has to be kept apart where it is needed. */
const leftOut = [
  "the configuration and the environment, with the key of system.encryption",
  "certificates/ with its private key (a start makes another pair)",
  "runtime/, logs/ and the lock",
  "console/ with the figures of the last days",
  "lost+found, and *.damaged-N files",
] as const;

/** Resolves with whether the copy is sound; undefined where that was not looked at. Throws `BackupError`, and what went wrong. */
export async function backup(
  connect: () => Promise<BackupClient>,
  { to, mayLink, verifies }: BackupOptions,
  host: BackupHost,
): Promise<boolean | undefined> {
  const target = await TargetDirectory.begin(resolve(host.workingDirectory, to));
  try {
    await withPoint(connect, host, async (point, signal) => {
      const progress = progressOf("backup", host);
      const { sizeBytes, linkedBytes, partitionsCount } = await copyPoint({
        from: point.directory,
        to: target.unfinishedPath,
        mayLink,
        signal,
        ...progress,
      });
      host.showProgress?.("");
      const linked = linkedBytes === 0 ? "" : `, ${sizeText(linkedBytes)} of it by second names`;
      host.say(
        `Copied ${partitionsCount} partition${partitionsCount === 1 ? "" : "s"}, ${sizeText(sizeBytes)}${linked}.\n`,
      );
      const about = { version: 1, made_at: new Date().toISOString(), partitions: partitionsCount, bytes: sizeBytes };
      const text = JSON.stringify({ ...about, left_out: leftOut, closed: point.closed }, null, 2);
      await writeDurably(join(target.unfinishedPath, backupName), `${text}\n`);
    });
    const isSound = verifies ? await verify(target.unfinishedPath, host) : undefined;
    await target.finish();
    host.say(`Not in it: ${leftOut.join("; ")}.\n`);
    host.print(`${target.path}\n`);
    return isSound;
  } catch (error) {
    await target.abandon();
    throw error;
  }
}

/** The point is kept while `work` is at work, and given back whatever comes of it. */
async function withPoint(
  connect: () => Promise<BackupClient>,
  host: BackupHost,
  work: (point: BackupPointReply, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const client = await connect();
  try {
    await usePoint(client, host, work);
  } finally {
    await client.close(); // before the check, which does not let the event loop turn
  }
}

async function usePoint(
  client: BackupClient,
  { say, signal }: BackupHost,
  work: (point: BackupPointReply, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const point = await client.beginBackup().catch((error: unknown) => {
    if (isPointRefused(error)) throw new BackupError(refusedText, { cause: error });
    if (error instanceof IggyError && error.errorName === "Unauthorized") {
      throw new BackupError("the user may not make backups; needed is manage_servers", { cause: error });
    }
    throw error;
  });
  const lost = new AbortController();
  const keeping = setInterval(() => {
    client.keepBackup(point.pointId).catch((error: unknown) => lost.abort(error));
  }, keepMs);
  try {
    for (const { streamId, topicId, partitionId } of point.closed) {
      say(
        `Left out: partition ${partitionId} of topic ${topicId} in stream ${streamId}, whose files the broker cannot open.\n`,
      );
    }
    if (!existsSync(join(point.directory, "state/metadata.snapshot"))) {
      throw new BackupError(
        `${point.directory} cannot be read here: run this on the broker's machine, as the user that it runs as`,
      );
    }
    await work(point, signal === undefined ? lost.signal : AbortSignal.any([lost.signal, signal]));
  } finally {
    clearInterval(keeping);
    await client.endBackup(point.pointId).catch((error: unknown) => {
      say(`The broker keeps what was copied for a minute: ${error instanceof Error ? error.message : error}\n`);
    });
  }
}

function isPointRefused(error: unknown): boolean {
  return error instanceof IggyError && error.errorName === "SnapshotFileCompletionFailed";
}

/** Percent and speed, for whoever looks. */
export function progressOf(what: string, { showProgress }: BackupHost) {
  let totalBytes = 0;
  let doneBytes = 0;
  const startedAtMs = performance.now();
  return {
    onTotal: (sizeBytes: number) => {
      totalBytes = sizeBytes;
    },
    onBytes: (count: number) => {
      doneBytes += count;
      const percent = totalBytes === 0 ? 100 : Math.floor((100 * doneBytes) / totalBytes);
      const speed = sizeText(doneBytes / Math.max(0.001, (performance.now() - startedAtMs) / 1000));
      showProgress?.(`${what}  ${Math.min(100, percent)} %   ${speed}/s`);
    },
  };
}
