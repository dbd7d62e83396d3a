// What a data directory holds besides messages and metadata: the pair of a certificate and its key, revoked access tokens,
// who may read them, names that are nobody's, and how much room is left.

import { existsSync, readdirSync, readFileSync, statfsSync, statSync } from "node:fs";
import { join } from "node:path";
import { isKeptAside } from "../platform/disk.ts";
import { ownFaultOf } from "../security/certificates.ts";
import { decodeRevocations } from "../transport/http/auth/revocation-file.ts";
import type { Findings } from "./findings.ts";
import { reportKept } from "./metadata-check.ts";

export interface FilesTarget {
  readonly dataPath: string;
  /** First part of the path of messages below the data directory, and others that are configured: `streams`, `runtime`, `logs`. */
  readonly configuredNames: readonly string[];
  readonly segmentSizeBytes: number;
  readonly nowMs: number;
}

/** Less than this part of the file system is little. */
const littleSpaceShare = 0.05;
const othersMask = 0o077;

export function checkFiles(target: FilesTarget, findings: Findings): void {
  checkNames(target, findings);
  checkCertificates(target, findings);
  checkTokens(target, findings);
  checkPermissions(target, findings);
  checkSpace(target, findings);
}

function checkNames({ dataPath, configuredNames }: FilesTarget, findings: Findings): void {
  const known = new Set(["state", "certificates", "console", "whippet.lock", "backup.json", ...configuredNames]);
  for (const name of readdirSync(dataPath)) {
    if (known.has(name)) continue;
    findings.add({
      kind: "unknown",
      severity: "notice",
      path: join(dataPath, name),
      text: "nothing of a data directory has such a name",
      consequence: "nobody reads it",
    });
  }
}

function checkCertificates({ dataPath, nowMs }: FilesTarget, findings: Findings): void {
  const directory = join(dataPath, "certificates");
  const files = { certFile: join(directory, "cert.pem"), keyFile: join(directory, "key.pem") };
  for (const name of namesIn(directory)) if (isKeptAside(name)) reportKept(join(directory, name), findings);
  const missing = [files.certFile, files.keyFile].filter((path) => !existsSync(path));
  if (missing.length === 2) return;
  if (missing.length === 1) {
    findings.add({
      kind: "certificate",
      severity: "damage",
      path: missing[0]!,
      text: "one of the two files of the broker's own pair is missing",
      loss: "the pair",
      consequence: "a start makes another pair, which clients have to trust anew",
    });
    return;
  }
  const pair = { certPem: readFileSync(files.certFile, "utf8"), keyPem: readFileSync(files.keyFile, "utf8") };
  const fault = ownFaultOf(pair, files, nowMs);
  if (fault === undefined) return;
  findings.add({
    kind: "certificate",
    severity: fault.isOutOfDate ? "notice" : "damage",
    path: fault.path,
    text: fault.reason,
    ...(fault.isOutOfDate ? {} : { loss: "the pair" }),
    consequence: "a start makes another pair, which clients have to trust anew",
  });
}

function checkTokens({ dataPath }: FilesTarget, findings: Findings): void {
  const path = join(dataPath, "state/tokens");
  if (!existsSync(path)) return;
  try {
    const { state } = decodeRevocations(readFileSync(path));
    if (state !== "corrected") return;
    findings.add({
      kind: "tokens",
      severity: "damage",
      path,
      text: "one of the two copies of the list of revoked access tokens is damaged",
      consequence: "a start repairs it from the other copy",
    });
  } catch (error) {
    findings.add({
      kind: "tokens",
      severity: "damage",
      path,
      text: `the list of revoked access tokens cannot be read: ${error instanceof Error ? error.message : error}`,
      loss: "which access tokens were revoked",
      consequence: "a start refuses all access tokens from before then: users log in again",
    });
  }
}

/** Files with secrets, or hashes of them. */
function checkPermissions({ dataPath }: FilesTarget, findings: Findings): void {
  const state = join(dataPath, "state");
  const paths = [
    ...namesIn(state).map((name) => join(state, name)),
    ...namesIn(join(dataPath, "certificates"))
      .filter((name) => name.startsWith("key.pem"))
      .map((name) => join(dataPath, "certificates", name)),
  ];
  for (const path of paths) {
    const mode = statSync(path).mode & 0o777;
    if ((mode & othersMask) === 0) continue;
    findings.add({
      kind: "permission",
      severity: "notice",
      path,
      text: `its mode is ${mode.toString(8)}: other users of this machine may open it`,
      consequence: "it holds secrets, or hashes of them: chmod 600",
    });
  }
}

function checkSpace({ dataPath, segmentSizeBytes }: FilesTarget, findings: Findings): void {
  const { bavail, blocks, bsize } = statfsSync(dataPath);
  const freeBytes = bavail * bsize;
  if (freeBytes >= Math.max(segmentSizeBytes, blocks * bsize * littleSpaceShare)) return;
  findings.add({
    kind: "space",
    severity: "notice",
    path: dataPath,
    text: `${freeBytes} bytes of ${blocks * bsize} are free`,
    consequence: "sends are refused when nothing is left (operations.md, Full disk)",
  });
}

function namesIn(directory: string): string[] {
  return existsSync(directory) ? readdirSync(directory) : [];
}
