// Words of charts, and of the pages that show how the broker does.
import { counted } from "./numbers.ts";

export const chartWords = {
  now: "now",
  nothing: "Nothing is known of this time.",
  table: "As a table",
  tableOf: (title: string) => `${title}, as a table`,
  from: "From",
  highest: (label: string, value: string, time: string) => `${label} ${value} at ${time}`,
  sentence: (parts: readonly string[]) => (parts.length === 0 ? "" : `Highest: ${parts.join("; ")}.`),
  gap: (count: number, from: string, to: string) =>
    `${counted(count, "gap")}: nothing was measured from ${from} to ${to}${count > 1 ? ", the last of them" : ""}.`,
} as const;

export const historyWords = {
  title: "Over time",
  range: "How far back",
  ranges: { "15m": "15 minutes", "1h": "1 hour", "24h": "24 hours", "30d": "30 days" },
  off: "This broker keeps no history: observability.history.enabled is off.",
  charts: {
    messages: "Messages per second",
    bytes: "Bytes per second",
    send: "How long sends take",
    poll: "How long polls take",
    errors: "Errors per second",
    clients: "Clients",
    disk: "Disk",
    memory: "Memory",
    cpu: "CPU, of one core",
    loop: "Event loop, late by",
    topicIn: "Messages in per second",
    topicSize: "Size",
  },
  lines: {
    in: "in",
    out: "out",
    half: "half within",
    most: "99 % within",
    worst: "99.9 % within",
    errors: "errors",
    clients: "clients",
    used: "used",
    free: "free",
    memory: "memory",
    cpu: "CPU",
    shard: (id: number) => `shard ${id}`,
    messages: "messages",
    size: "size",
  },
} as const;

export const logWords = {
  title: "Log",
  level: "Level",
  levels: { error: "error", warn: "warn", info: "info", debug: "debug", trace: "trace" },
  target: "Part of the program",
  words: "Text",
  live: "Live",
  newest: "To the newest",
  snapshot: "Download snapshot",
  lines: "Lines of the log, the newest first",
  link: "The link to this line",
  noTime: "no time",
  older: "Older",
  following: "New lines are shown as they come.",
  standing: "New lines are not shown.",
  more: (count: string) => `${count} new: show`,
  skipped: (size: string) => `${size} came too fast to be shown.`,
  none: (size: string) => `No line fits, in the newest ${size} of the log.`,
  gone: "This line is no longer in the log: its file was removed.",
  off: "This broker writes no log files: system.logging.file_enabled is off. Its lines are on standard output only.",
} as const;
