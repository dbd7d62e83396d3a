// `whippet stats`: what the server holds and uses.

import type { Stats } from "../../protocol/records/stats.ts";
import { statsDocument } from "../api/system.ts";
import { type Command, serverCommand } from "../command.ts";
import { utcText } from "../output/original.ts";
import { durationText, numberText, sizeWords, timeText } from "../output/words.ts";
import { oneOf, option } from "../parameters.ts";

const modes = ["table", "list", "json", "toml"] as const;

/** The original's labels and units. */
function listOf(stats: Stats): [string, string | number | bigint][] {
  return [
    ["Iggy Server PID", stats.processId],
    ["Iggy Server CPU Usage", `${stats.cpuUsagePercent.toFixed(4)} %`],
    ["Total CPU Usage", `${stats.totalCpuUsagePercent.toFixed(4)} %`],
    ["Iggy Server Memory Usage", stats.memoryUsageBytes],
    ["Total Memory (RAM)", stats.totalMemoryBytes],
    ["Available Memory (RAM)", stats.availableMemoryBytes],
    ["Iggy Server Run Time", stats.runTimeMicros / 1_000_000n],
    ["Start Time (UTC)", utcText(stats.startTimeMicros)],
    ["Read Bytes", stats.readBytes],
    ["Written Bytes", stats.writtenBytes],
    ["Messages Size Bytes", stats.messagesSizeBytes],
    ["Streams Count", stats.streamsCount],
    ["Topics Count", stats.topicsCount],
    ["Partitions Count", stats.partitionsCount],
    ["Segments Count", stats.segmentsCount],
    ["Message Count", stats.messagesCount],
    ["Clients Count", stats.clientsCount],
    ["Consumer Groups Count", stats.consumerGroupsCount],
    ["Threads Count", stats.threadsCount],
    ["Free Disk Space", stats.freeDiskSpaceBytes],
    ["Total Disk Space", stats.totalDiskSpaceBytes],
    ["OS Name", stats.osName],
    ["OS Version", stats.osVersion],
    ["Kernel Version", stats.kernelVersion],
  ];
}

function shownOf(stats: Stats): string[] {
  const percent = (value: number) => `${value.toFixed(1)} %`;
  const rows: [string, string][] = [
    ["server", `${stats.serverVersion} on ${stats.hostname}, process ${stats.processId}`],
    ["up", `${durationText(stats.runTimeMicros)}, since ${timeText(stats.startTimeMicros)}`],
    ["system", `${stats.osName} ${stats.osVersion}, ${stats.kernelVersion}`],
    ["cpu", `${percent(stats.cpuUsagePercent)} of one, machine ${percent(stats.totalCpuUsagePercent)}`],
    [
      "memory",
      `${sizeWords(stats.memoryUsageBytes)}, machine ${sizeWords(stats.availableMemoryBytes)} free of ${sizeWords(stats.totalMemoryBytes)}`,
    ],
    ["threads", numberText(stats.threadsCount)],
    ["disk", `${sizeWords(stats.freeDiskSpaceBytes)} free of ${sizeWords(stats.totalDiskSpaceBytes)}`],
    ["messages", `${numberText(stats.messagesCount)}, ${sizeWords(stats.messagesSizeBytes)}`],
    [
      "in",
      [
        `${numberText(stats.streamsCount)} streams`,
        `${numberText(stats.topicsCount)} topics`,
        `${numberText(stats.partitionsCount)} partitions`,
        `${numberText(stats.segmentsCount)} segments`,
      ].join(", "),
    ],
    ["clients", `${numberText(stats.clientsCount)}, consumer groups ${numberText(stats.consumerGroupsCount)}`],
    ["read", sizeWords(stats.readBytes)],
    ["written", sizeWords(stats.writtenBytes)],
  ];
  return rows.map(([label, text]) => `${label.padEnd(8)}  ${text}`);
}

const stats = serverCommand({
  words: ["stats"],
  summary: "Show what the server holds and uses",
  examples: ["stats", "stats -o json", "stats --json | jq .messages_count"],
  options: {
    output: option("-o, --output <FORMAT>", oneOf(modes), "table, list, json or toml", { choices: modes }),
  },
  right: () => ({ what: "read the figures of the server", names: ["read_servers", "manage_servers"] }),
  async run(client, args, output) {
    const stats = await client.getStats();
    await output.as(args.output).show({ document: statsDocument(stats), shown: shownOf(stats), list: listOf(stats) });
  },
});

export const commands: readonly Command[] = [stats];
