// Looks at one data directory: metadata first, since they say what there should be, then every partition. Nothing is changed.
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Config } from "../config/schema/index.ts";
import { entriesById, logIdOf, type MetadataState } from "../metadata/index.ts";
import { systemClock } from "../platform/clock.ts";
import { realDisk } from "../platform/real-disk.ts";
import { createCipher } from "../security/encryption.ts";
import { PartitionPlace } from "../shard/partition-identity.ts";
import { type DataPaths, dataPaths } from "../shard/paths.ts";
import { partitionKeyOf } from "../shard/placement.ts";
import type { PartitionIdentity } from "../storage/index.ts";
import { checkFiles } from "./files-check.ts";
import { type Finding, Findings } from "./findings.ts";
import { checkMetadata } from "./metadata-check.ts";
import { OverlayDisk } from "./overlay-disk.ts";
import { checkPartition } from "./partition-check.ts";
import { makeContext, readBootId, silentLog } from "./storage.ts";
import { checkStrays } from "./strays.ts";

/** Of the data, as far as the metadata name it. */
export interface Extent {
  readonly streams: number;
  readonly topics: number;
  readonly partitions: number;
  /** Of logs and indexes. */
  readonly sizeBytes: number;
}

export interface ExamineOptions {
  /** `system.path` is the directory. */
  readonly config: Config;
  /** A broker is at work there. */
  readonly isLive: boolean;
  readonly onExtent?: (extent: Extent) => void;
  /** Told from time to time of the bytes that were looked at since the last call. */
  readonly onBytes?: (count: number) => void;
}

export interface Examination {
  readonly findings: readonly Finding[];
  readonly extent: Extent;
  /** Ends of logs and indexes that a running broker is at work on. */
  readonly movingCount: number;
}

export interface PartitionTarget {
  /** `stream/topic/partition` by names. */
  readonly name: string;
  readonly directory: string;
  readonly identity: PartitionIdentity;
}

/** Beside a running broker something counts that is found in each of so many looks. */
const liveLooks = 3;
const liveWaitMs = 250;

/** Throws `MetadataKeyError`, `DataVersionError`: then nothing can be said. */
export async function examine({ config, isLive, onExtent, onBytes }: ExamineOptions): Promise<Examination> {
  const { system } = config;
  const paths = dataPaths(system);
  const findings = new Findings(system.path);
  checkFiles(
    {
      dataPath: system.path,
      configuredNames: [system.stream.path, system.runtime.path, system.logging.path].map(firstPart),
      segmentSizeBytes: system.segment.sizeBytes,
      nowMs: Date.now(),
    },
    findings,
  );
  const look = (into: Findings): MetadataState | undefined => {
    const overlay = new OverlayDisk(realDisk);
    const state = openState(config, paths, overlay, into);
    const context = makeContext(overlay, silentLog);
    if (state !== undefined) checkStrays({ context, findings: into, onBytes: () => undefined }, state, paths);
    return state;
  };
  const { result: state, found } = await settled(isLive, system.path, look);
  findings.all.push(...found);
  if (state === undefined) return { findings: findings.all, extent: noExtent, movingCount: 0 };

  const targets = targetsOf(state, paths);
  const extent = extentOf(state, targets);
  onExtent?.(extent);
  const cipher = cipherOf(system);
  let movingCount = 0;
  for (const target of targets) {
    let isFirstLook = true;
    const check = (into: Findings): void => {
      const now = isFirstLook ? target : refreshed(config, paths, target);
      isFirstLook = false;
      if (now === undefined) return; // deleted meanwhile
      into.place = target.name;
      const context = makeContext(new OverlayDisk(realDisk), silentLog);
      checkPartition({ context, findings: into, cipher, onBytes: onBytes ?? (() => undefined) }, now);
    };
    const { found: ofPartition } = await settled(isLive, system.path, check);
    // What a kill would leave is what a broker at work has not written yet.
    const kept = isLive ? ofPartition.filter(({ severity }) => severity !== "start") : ofPartition;
    movingCount += ofPartition.length - kept.length;
    findings.all.push(...kept);
  }
  return { findings: findings.all, extent, movingCount };
}

const noExtent: Extent = { streams: 0, topics: 0, partitions: 0, sizeBytes: 0 };

/** The state as a start would have it; what is found on the way goes to `findings`. */
function openState(
  { system }: Config,
  { stateDirectory }: DataPaths,
  overlay: OverlayDisk,
  findings: Findings,
): MetadataState | undefined {
  return checkMetadata(
    {
      overlay,
      stateDirectory,
      cipher: cipherOf(system),
      nowMicros: systemClock.nowMicros(),
      bootId: readBootId(),
      topicDefaults: { messageExpiryMicros: system.topic.messageExpiry, maxTopicSizeBytes: system.topic.maxSize },
    },
    findings,
  );
}

function cipherOf({ encryption }: Config["system"]) {
  return encryption.enabled ? createCipher(encryption.key) : undefined;
}

/** What there is to check now: the partition may be another one, or purged. */
function refreshed(config: Config, paths: DataPaths, target: PartitionTarget): PartitionTarget | undefined {
  const state = openState(config, paths, new OverlayDisk(realDisk), new Findings(config.system.path));
  return state && targetsOf(state, paths).find(({ directory }) => directory === target.directory);
}

/**
 * What a check finds. Beside a running broker only what it finds each time, with a pause between: files that are written or
 * renamed at this moment look damaged for a moment.
 */
async function settled<T>(isLive: boolean, dataPath: string, check: (findings: Findings) => T) {
  let findings = new Findings(dataPath);
  let result = check(findings);
  let found: readonly Finding[] = findings.all;
  for (let look = 1; isLive && look < liveLooks && found.length > 0; look++) {
    await Bun.sleep(liveWaitMs);
    findings = new Findings(dataPath);
    result = check(findings);
    const before = new Set(found.map(keyOf));
    found = findings.all.filter((finding) => before.has(keyOf(finding)));
  }
  return { result, found };
}

function keyOf({ kind, file, severity }: Finding): string {
  return `${kind} ${severity} ${file}`;
}

export function targetsOf(state: MetadataState, paths: DataPaths): PartitionTarget[] {
  return entriesById(state.streams).flatMap((stream) =>
    entriesById(stream.topics).flatMap((topic) =>
      topic.partitions.map(({ logBase }, id) => ({
        name: `${stream.name}/${topic.name}/${id}`,
        directory: paths.partitionDirectory(stream.id, topic.id, id),
        identity: new PartitionPlace(state, partitionKeyOf(stream.id, topic.id, id), logIdOf(logBase, topic.id, id)),
      })),
    ),
  );
}

function extentOf(state: MetadataState, targets: readonly PartitionTarget[]): Extent {
  let sizeBytes = 0;
  for (const { directory } of targets) {
    for (const name of realDisk.list(directory)) {
      if (name.endsWith(".log") || name.endsWith(".index")) sizeBytes += sizeOf(`${directory}/${name}`);
    }
  }
  return {
    streams: state.streams.byId.size,
    topics: state.topicsCount,
    partitions: targets.length,
    sizeBytes,
  };
}

/** 0 for a file that is gone or cannot be opened: the checks report that. */
function sizeOf(path: string): number {
  return existsSync(path) ? Bun.file(path).size : 0;
}

function firstPart(path: string): string {
  return join(path).split("/")[0]!;
}
