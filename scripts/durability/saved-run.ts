// A recorded run in a directory of its own, so that one of its crash points can be looked at again.
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  Call,
  GroupHistory,
  History,
  Lifetime,
  PartitionHistory,
  StreamHistory,
  TopicHistory,
  UserHistory,
} from "../../tests/crash/history.ts";
import type { RecordedRun } from "../../tests/power/power-loss.ts";
import { readRecord } from "../../tests/power/record.ts";

const kinds = { Call, GroupHistory, Lifetime, PartitionHistory, StreamHistory, TopicHistory, UserHistory } as const;

/** `recordPath`: the record that the recorder has written. */
export function saveRun(run: RecordedRun, recordPath: string, directory: string): void {
  mkdirSync(directory, { recursive: true });
  copyFileSync(recordPath, join(directory, "record"));
  const { streams, users, tokens } = run.history;
  const { start, turnsCount, options, lives } = run;
  const plain = pack({ streams, users, tokens, start, turnsCount, options, lives });
  writeFileSync(join(directory, "history.json"), JSON.stringify(plain));
}

/** The run as it was saved. The history can be checked against, and takes nothing more. */
export function loadRun(directory: string): RecordedRun {
  const saved = unpack(JSON.parse(readFileSync(join(directory, "history.json"), "utf8"))) as RecordedRun & History;
  const history = new History(() => 0);
  history.streams = saved.streams;
  history.users = saved.users;
  history.tokens = saved.tokens;
  const entries = [...readRecord(new Uint8Array(readFileSync(join(directory, "record"))))];
  const { start, turnsCount, options, lives } = saved;
  return { history, entries, start, turnsCount, options, lives };
}

function pack(value: unknown): unknown {
  if (typeof value === "bigint") return { $: "bigint", value: String(value) };
  if (value === Number.POSITIVE_INFINITY) return { $: "infinity" };
  if (Array.isArray(value)) return value.map(pack);
  if (value instanceof Map) return { $: "map", entries: [...value].map(pack) };
  if (typeof value !== "object" || value === null) return value;
  const fields = Object.fromEntries(Object.entries(value).map(([name, field]) => [name, pack(field)]));
  const kind = value.constructor.name;
  return kind in kinds ? { $: kind, fields } : fields;
}

function unpack(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(unpack);
  if (typeof value !== "object" || value === null) return value;
  const fields = new Map(Object.entries(value));
  const kind = fields.get("$");
  if (kind === "bigint") return BigInt(String(fields.get("value")));
  if (kind === "infinity") return Number.POSITIVE_INFINITY;
  if (kind === "map") return new Map(unpack(fields.get("entries")) as [unknown, unknown][]);
  if (kind === undefined) return Object.fromEntries([...fields].map(([name, field]) => [name, unpack(field)]));
  const prototype = Object.entries(kinds).find(([name]) => name === kind)?.[1].prototype ?? null;
  return Object.assign(Object.create(prototype), unpack(fields.get("fields")));
}
