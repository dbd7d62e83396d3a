// Directories below that of the streams: what the metadata do not name, and no remembered deletion explains.
import { isRemovedLog, type MetadataState } from "../metadata/index.ts";
import { backupPointsName, lostAndFoundName, removedDirectoryName } from "../shard/directories.ts";
import type { DataPaths } from "../shard/paths.ts";
import { readMarkedLogId } from "../storage/mark.ts";
import { legacyLogId } from "../storage/mark-format.ts";
import { attempt, type CheckTools } from "./tools.ts";

interface Place {
  readonly streamId: number;
  readonly topicId?: number;
  readonly partitionId?: number;
}

/** Reports every directory that a start would set aside or remove, and what lies where no such name belongs. */
export function checkStrays(tools: CheckTools, state: MetadataState, paths: DataPaths): void {
  attempt(tools, () => new StrayCheck(tools, state, paths).run());
}

class StrayCheck {
  readonly #tools: CheckTools;
  readonly #state: MetadataState;
  readonly #paths: DataPaths;

  constructor(tools: CheckTools, state: MetadataState, paths: DataPaths) {
    this.#tools = tools;
    this.#state = state;
    this.#paths = paths;
  }

  run(): void {
    const paths = this.#paths;
    this.#checkTaken();
    for (const streamId of this.#numbersIn(paths.streamsDirectory, [
      removedDirectoryName,
      lostAndFoundName,
      backupPointsName,
    ])) {
      const stream = this.#state.streams.byId.get(streamId);
      if (stream === undefined) {
        this.#report({ streamId }, paths.streamDirectory(streamId), "stream");
        continue;
      }
      for (const topicId of this.#numbersIn(paths.topicsDirectory(streamId))) {
        const topic = stream.topics.byId.get(topicId);
        if (topic === undefined) {
          this.#report({ streamId, topicId }, paths.topicDirectory(streamId, topicId), "topic");
          continue;
        }
        for (const partitionId of this.#numbersIn(paths.partitionsDirectory(streamId, topicId))) {
          if (partitionId < topic.partitions.length) continue;
          const directory = paths.partitionDirectory(streamId, topicId, partitionId);
          this.#report({ streamId, topicId, partitionId }, directory, "partition");
        }
      }
    }
  }

  /** What was taken away before. */
  #checkTaken(): void {
    const { context, findings } = this.#tools;
    const { streamsDirectory } = this.#paths;
    for (const name of context.disk.list(`${streamsDirectory}/${lostAndFoundName}`)) {
      findings.add({
        kind: "kept",
        severity: "notice",
        path: `${streamsDirectory}/${lostAndFoundName}/${name}`,
        text: "set aside by an earlier start",
        consequence: "nobody reads it (operations.md, lost+found)",
      });
    }
    const texts = { [removedDirectoryName]: "what was deleted", [backupPointsName]: "what a backup was copied from" };
    for (const [name, text] of Object.entries(texts)) {
      const path = `${streamsDirectory}/${name}`;
      if (context.disk.list(path).length === 0) continue;
      const consequence = "a start removes it";
      findings.add({ kind: "stray", severity: "start", path, text: `${text} still takes room`, consequence });
    }
  }

  #report(place: Place, directory: string, what: string): void {
    const { findings } = this.#tools;
    if (this.#hasEnded(place)) {
      findings.add({
        kind: "stray",
        severity: "start",
        path: directory,
        text: `left by the deletion of its ${what}, which was interrupted`,
        consequence: "a start removes it",
      });
      return;
    }
    findings.add({
      kind: "stray",
      severity: "damage",
      path: directory,
      text: `belongs to no ${what} that the metadata name`,
      loss: "what is in it, for clients",
      consequence: "a start sets it aside in lost+found",
    });
  }

  /** Whether everything that lies here is of a deletion that is remembered. */
  #hasEnded({ streamId, topicId, partitionId }: Place): boolean {
    const paths = this.#paths;
    if (topicId === undefined) {
      const topics = this.#numbersIn(paths.topicsDirectory(streamId));
      return this.#hasRemoval(streamId) && topics.every((id) => this.#hasEnded({ streamId, topicId: id }));
    }
    if (partitionId === undefined) {
      const partitions = this.#numbersIn(paths.partitionsDirectory(streamId, topicId));
      return (
        this.#hasRemoval(streamId) && partitions.every((id) => this.#hasEnded({ streamId, topicId, partitionId: id }))
      );
    }
    const logId = readMarkedLogId(this.#tools.context.disk, paths.partitionDirectory(streamId, topicId, partitionId));
    const place = { streamId, topicId, partitionId };
    return logId === undefined || isRemovedLog(this.#state, place, logId === legacyLogId ? undefined : logId);
  }

  #hasRemoval(streamId: number): boolean {
    return [...this.#state.removals.values()].some((removal) => removal.streamId === streamId);
  }

  /** The directories with a number for a name; whatever else is there is reported, unless it is one of `others`. */
  #numbersIn(directory: string, others: readonly string[] = []): number[] {
    const numbers: number[] = [];
    for (const name of this.#tools.context.disk.list(directory)) {
      if (/^(0|[1-9]\d*)$/.test(name)) numbers.push(Number(name));
      else if (!others.includes(name)) {
        this.#tools.findings.add({
          kind: "stray",
          severity: "notice",
          path: `${directory}/${name}`,
          text: "no directory of messages has such a name",
          consequence: "nobody reads it",
        });
      }
    }
    return numbers;
  }
}
