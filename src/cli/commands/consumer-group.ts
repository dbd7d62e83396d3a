// `whippet consumer-group …`

import type { ConsumerGroupHeader } from "../../protocol/records/consumer-group.ts";
import { type Command, serverCommand } from "../command.ts";
import { found } from "../missing.ts";
import type { Table } from "../output/table.ts";
import { countText, numberText } from "../output/words.ts";
import { listMode, option, required } from "../parameters.ts";
import { entityName, identifierText, integer } from "../values.ts";
import { committedOffsets, lagOf, offsetText } from "./group-lag.ts";
import { group, placeText, stream, type TopicPlace, topic } from "./places.ts";

function right(what: string) {
  return (args: TopicPlace) => ({ what: `${what} ${placeText(args)}`, names: ["read_topic", "manage_topic"] });
}

function groupDocument(entry: ConsumerGroupHeader) {
  return {
    id: entry.id,
    name: entry.name,
    partitions_count: entry.partitionsCount,
    members_count: entry.membersCount,
  };
}

const create = serverCommand({
  words: ["consumer-group", "create"],
  alias: "c",
  summary: "Make a consumer group",
  examples: ["consumer-group create orders created billing", "g c orders created billing"],
  arguments: { stream, topic, name: required(entityName, "What it is called") },
  options: {
    groupId: option("-g, --group-id <ID>", integer(0, 2 ** 32 - 1), "Of the original; the server gives the number", {
      isIgnored: true,
    }),
  },
  right: right("make consumer groups of"),
  async run(client, args, output) {
    const made = await client.createConsumerGroup(args.stream, args.topic, args.name);
    const text = `Created consumer group ${made.name} (id ${made.id}) of ${placeText(args)}.`;
    await output.made(text, groupDocument(made));
  },
});

const remove = serverCommand({
  words: ["consumer-group", "delete"],
  alias: "d",
  summary: "Delete a consumer group with its offsets",
  examples: ["consumer-group delete orders created billing", "g d 1 0 0"],
  arguments: { stream, topic, group },
  right: right("delete consumer groups of"),
  async run(client, args, output) {
    found(await client.getConsumerGroup(args.stream, args.topic, args.group));
    await client.deleteConsumerGroup(args.stream, args.topic, args.group);
    await output.say(`Deleted consumer group ${identifierText(args.group)} of ${placeText(args)}.`);
  },
});

const get = serverCommand({
  words: ["consumer-group", "get"],
  alias: "g",
  summary: "Show a consumer group: who reads which partition, and how far behind",
  examples: ["consumer-group get orders created billing", "g g orders created billing --json"],
  arguments: { stream, topic, group },
  right: right("read consumer groups of"),
  async run(client, args, output) {
    const details = found(await client.getConsumerGroup(args.stream, args.topic, args.group));
    const { partitions } = found(await client.getTopic(args.stream, args.topic));
    const memberOf = new Map(
      details.members.flatMap(({ id, partitions: own }) => own.map((owned) => [owned, id] as const)),
    );
    const committed = await committedOffsets(client, args, { kind: "group", id: args.group }, partitions);
    const lags = partitions.map((record, index) => ({ id: record.id, ...lagOf(record, committed[index]) }));
    const table: Table = {
      columns: ["PARTITION", "MEMBER", "COMMITTED", "HEAD", "LAG"].map((head) => ({ head, isRight: true })),
      rows: lags.map((entry) => [
        String(entry.id),
        String(memberOf.get(entry.id) ?? "–"),
        offsetText(entry.committed),
        offsetText(entry.head),
        numberText(entry.lag),
      ]),
    };
    const head = `${details.name} (id ${details.id})   ${countText(partitions.length, "partition")}, ${countText(details.membersCount, "member")}`;
    await output.show({
      document: {
        ...groupDocument(details),
        members: details.members.map((member) => ({
          id: member.id,
          partitions_count: member.partitions.length,
          partitions: member.partitions,
        })),
        offsets: lags.map((entry) => ({
          partition_id: entry.id,
          stored_offset: entry.committed ?? null,
          current_offset: entry.head ?? null,
          lag: entry.lag,
        })),
      },
      shown: partitions.length === 0 ? [head] : [head, table],
    });
  },
});

const list = serverCommand({
  words: ["consumer-group", "list"],
  alias: "l",
  summary: "List the consumer groups of a topic",
  examples: ["consumer-group list orders created", "g l orders created -l list"],
  arguments: { stream, topic },
  options: { listMode },
  right: right("list consumer groups of"),
  async run(client, args, output) {
    const groups = await client.getConsumerGroups(args.stream, args.topic);
    // Of a topic that is not there the list is empty (spec BP 4.9).
    if (groups.length === 0) found(await client.getTopic(args.stream, args.topic));
    await output.as(args.listMode).show({
      document: groups.map(groupDocument),
      shown: [
        {
          columns: [
            { head: "ID", isRight: true },
            { head: "NAME" },
            { head: "PARTITIONS", isRight: true },
            { head: "MEMBERS", isRight: true },
          ],
          rows: groups.map((entry) => [
            String(entry.id),
            entry.name,
            numberText(entry.partitionsCount),
            numberText(entry.membersCount),
          ]),
        },
      ],
      list: groups.map((entry) => [entry.id, entry.name, entry.partitionsCount, entry.membersCount]),
    });
  },
});

export const commands: readonly Command[] = [list, get, create, remove];
