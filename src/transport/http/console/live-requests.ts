// What a page sends on /ui/live, read and checked.
import { type GroupPlace, type GroupsQuery, groupsMax } from "../../../protocol/console/groups.ts";
import {
  type LiveRequest,
  type ScanArgs,
  type ScanTerm,
  scanBounds,
  type TailArgs,
} from "../../../protocol/console/live.ts";
import { type LogFollowArgs, logLevelNames, logLimits } from "../../../protocol/console/log.ts";

/** Undefined for what is none. */
export function readRequest(text: string): LiveRequest | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined; // no JSON is no request either
  }
  if (!isObject(value) || !isCount(value.id)) return undefined;
  const { op, id } = value;
  if (op === "close") return { op, id };
  if (op === "credit") return isCount(value.n) ? { op, id, n: value.n } : undefined;
  if (op !== "open") return undefined;
  if (value.channel === "changes" || value.channel === "metrics") return { op, id, channel: value.channel };
  if (value.channel === "lag") {
    const args = readGroup(value.args);
    return args && { op, id, channel: "lag", args };
  }
  if (value.channel === "groups") {
    const args = readGroups(value.args);
    return args && { op, id, channel: "groups", args };
  }
  if (value.channel === "log") {
    const args = readLog(value.args);
    return args && { op, id, channel: "log", args };
  }
  if (value.channel === "scan") {
    const args = readScanArgs(value.args);
    return args && { op, id, channel: "scan", args };
  }
  const args = readTailArgs(value.args);
  if (value.channel !== "tail" || args === undefined || !isCount(value.credit)) return undefined;
  return { op, id, channel: "tail", args, credit: value.credit };
}

function readTailArgs(value: unknown): TailArgs | undefined {
  if (!isObject(value)) return undefined;
  const { stream, topic, partitions, from } = value;
  if (typeof stream !== "string" || typeof topic !== "string") return undefined;
  if (partitions !== undefined && !(Array.isArray(partitions) && partitions.every(isCount))) return undefined;
  if (from !== undefined && !(isObject(from) && Object.values(from).every((offset) => typeof offset === "string"))) {
    return undefined;
  }
  return {
    stream,
    topic,
    ...(partitions === undefined ? {} : { partitions }),
    ...(from === undefined ? {} : { from: from as Readonly<Record<string, string>> }),
  };
}

function readScanArgs(value: unknown): ScanArgs | undefined {
  if (!isObject(value)) return undefined;
  const { stream, topic, partition, from, to, all } = value;
  if (typeof stream !== "string" || typeof topic !== "string" || !isCount(partition)) return undefined;
  if (!isOffset(from) || !isOffset(to)) return undefined;
  if (!Array.isArray(all) || all.length === 0 || all.length > scanBounds.terms || !all.every(isTerm)) return undefined;
  return { stream, topic, partition, from, to, all };
}

function isTerm(value: unknown): value is ScanTerm {
  if (!isObject(value)) return false;
  if (typeof value.text === "string") return value.text !== "" && value.header === undefined;
  return typeof value.header === "string" && typeof value.value === "string";
}

function isOffset(value: unknown): value is string {
  return typeof value === "string" && /^\d{1,20}$/.test(value);
}

function readGroup(value: unknown): GroupPlace | undefined {
  if (!isObject(value)) return undefined;
  const { stream, topic, group } = value;
  const isWhole = typeof stream === "string" && typeof topic === "string" && typeof group === "string";
  return isWhole ? { stream, topic, group } : undefined;
}

function readGroups(value: unknown): GroupsQuery | undefined {
  if (!isObject(value)) return undefined;
  const { sort, q, limit, after } = value;
  if ((sort !== "lag" && sort !== "name") || typeof q !== "string") return undefined;
  if (!isCount(limit) || limit < 1 || limit > groupsMax) return undefined;
  if (after !== undefined && typeof after !== "string") return undefined;
  return { sort, q, limit, ...(after === undefined ? {} : { after }) };
}

function readLog(value: unknown): LogFollowArgs | undefined {
  if (!isObject(value)) return undefined;
  const { target, q, from } = value;
  const level = logLevelNames.find((name) => name === value.level);
  if (level === undefined || !isShort(target) || !isShort(q)) return undefined;
  if (from !== undefined && !isShort(from)) return undefined;
  return { level, target, q, ...(from === undefined ? {} : { from }) };
}

function isShort(value: unknown): value is string {
  return typeof value === "string" && value.length <= logLimits.textChars;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value < 2 ** 32;
}
