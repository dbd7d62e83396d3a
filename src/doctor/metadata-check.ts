// The metadata: opened as a start opens them, over a disk that keeps what that changes in memory, so that what is found and
// what would be repaired are the same.
import {
  describeDamage,
  type MetadataCipher,
  MetadataLog,
  type MetadataRepair,
  type MetadataState,
  metadataPaths,
} from "../metadata/index.ts";
import { readLog } from "../metadata/log-entries.ts";
import { type Disk, isKeptAside } from "../platform/disk.ts";
import { takeOver } from "../takeover/take-over.ts";
import { TakeoverError } from "../takeover/takeover-error.ts";
import type { Findings } from "./findings.ts";
import type { OverlayDisk } from "./overlay-disk.ts";

export interface MetadataTarget {
  /** Keeps changes in memory. */
  readonly overlay: OverlayDisk;
  readonly stateDirectory: string;
  readonly cipher?: MetadataCipher | undefined;
  readonly nowMicros: number;
  readonly bootId: string | undefined;
  /** For topics of a log of the original. */
  readonly topicDefaults: { readonly messageExpiryMicros: bigint; readonly maxTopicSizeBytes: bigint };
}

const stateNames: ReadonlySet<string> = new Set([
  "metadata.log",
  "metadata.log.previous",
  "metadata.snapshot",
  "metadata.snapshot.previous",
  "metadata.snapshot.tmp",
  "metadata.damage",
  "tokens",
  "tokens.tmp",
  "log",
  "log.takeover",
]);

/**
 * The state as a start would have it; undefined where a start would not begin, which is reported. Throws `MetadataKeyError`
 * and `DataVersionError`: then nothing can be looked at, and nothing is said to be damaged.
 */
export function checkMetadata(target: MetadataTarget, findings: Findings): MetadataState | undefined {
  const { overlay, stateDirectory, cipher } = target;
  const paths = metadataPaths(stateDirectory);
  checkNames(overlay, stateDirectory, findings);
  checkFiles(overlay, stateDirectory, findings);
  const openLog = () =>
    MetadataLog.open({
      disk: overlay,
      directory: stateDirectory,
      enforceFsync: false,
      cipher,
      bootId: target.bootId,
      onSnapshotFailure: (error) => {
        throw error;
      },
    });
  try {
    takeOver({
      disk: overlay,
      stateDirectory,
      defaults: target.topicDefaults,
      nowMicros: target.nowMicros,
      ...(cipher === undefined ? {} : { cipher }),
      openLog: () => openLog().log,
      onInfo: (text) =>
        findings.add({
          kind: "takeover",
          severity: text.includes("interrupted") ? "start" : "notice",
          path: `${stateDirectory}/log`,
          text: `a log of the original's metadata: ${text}`,
          consequence: "a start reads it, once, where there are no metadata of its own",
        }),
    });
  } catch (thrown) {
    if (!(thrown instanceof TakeoverError)) throw thrown;
    findings.add({
      kind: "takeover",
      severity: "damage",
      path: `${stateDirectory}/log`,
      text: thrown.message,
      consequence: "no start takes it over",
    });
    return undefined;
  }
  const { state, repairs, damage } = openLog();
  for (const repair of repairs) reportRepair(repair, findings);
  for (const text of damage === undefined ? [] : describeDamage(damage)) {
    findings.add({
      kind: "metadata",
      severity: "damage",
      path: paths.log,
      text,
      loss: "changes of the metadata",
      consequence: "users but root are locked out until the operator has looked (operations.md, Locked users)",
    });
  }
  return state;
}

function checkNames(disk: Disk, stateDirectory: string, findings: Findings): void {
  for (const name of disk.list(stateDirectory)) {
    const path = `${stateDirectory}/${name}`;
    if (isKeptAside(name)) reportKept(path, findings);
    else if (!stateNames.has(name) && !/^log\.iggy(\.\d+)?$/.test(name)) {
      findings.add({
        kind: "unknown",
        severity: "notice",
        path,
        text: "no file of the metadata has such a name",
        consequence: "nobody reads it",
      });
    }
  }
}

export function reportKept(path: string, findings: Findings): void {
  findings.add({
    kind: "kept",
    severity: "notice",
    path,
    text: "kept from an earlier repair",
    consequence: "nobody reads it; it can be removed",
  });
}

/** What an open does not report, since it has no need of it. */
function checkFiles(disk: Disk, stateDirectory: string, findings: Findings): void {
  const { log, previousLog, snapshot, previousSnapshot, newSnapshot, damageNotice } = metadataPaths(stateDirectory);
  if (disk.exists(damageNotice)) {
    findings.add({
      kind: "metadata",
      severity: "damage",
      path: damageNotice,
      text: "metadata were lost before, and nobody has confirmed it",
      loss: "what the file says",
      consequence: "users but root are locked out (operations.md, Locked users)",
    });
  }
  if (disk.exists(`${stateDirectory}/log`)) return; // of the original: there may be nothing of our own yet
  const isBetweenNames = disk.exists(newSnapshot) && disk.exists(previousSnapshot);
  const isNeeded = disk.exists(previousSnapshot) || disk.exists(previousLog);
  if (!disk.exists(snapshot) && isNeeded) {
    findings.add({
      kind: "metadata",
      severity: isBetweenNames ? "start" : "damage",
      path: snapshot,
      text: isBetweenNames ? "a new snapshot was about to get its name" : "the newest snapshot is missing",
      consequence: "a start uses the one before it and both logs, and writes another one",
    });
  }
  const previous = readLog(disk, previousLog);
  if (previous.intactBytes < previous.sizeBytes) {
    findings.add({
      kind: "metadata",
      severity: "damage",
      path: previousLog,
      position: previous.intactBytes,
      text: `${previous.sizeBytes - previous.intactBytes} bytes behind its last whole entry`,
      consequence: "it is needed only where the newest snapshot is lost; the next snapshot replaces it",
    });
  }
  if (!disk.exists(snapshot) && !isNeeded && !disk.exists(log)) {
    findings.add({
      kind: "metadata",
      severity: "damage",
      path: stateDirectory,
      text: "there are no metadata",
      loss: "names, users and rights",
      consequence: "a start begins anew, and sets all directories of streams aside in lost+found",
    });
  }
}

function reportRepair({ path, droppedBytes, reason }: MetadataRepair, findings: Findings): void {
  // A copy that was kept before the damage is not damage itself, and is told with the entries that are lost.
  if (reason === "snapshot before the damage") return;
  const isTorn = path.endsWith("metadata.log") && (reason.startsWith("torn") || reason.includes("does not follow"));
  const consequence = isTorn
    ? "a start cuts them, and keeps a copy; nothing of them was known to be durable"
    : "a start writes both copies of everything anew";
  findings.add({
    kind: isTorn ? "torn" : "metadata",
    severity: isTorn ? "start" : "damage",
    path,
    text: droppedBytes > 0 ? `${reason}: ${droppedBytes} bytes` : reason,
    consequence,
  });
}
