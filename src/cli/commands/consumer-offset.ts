// `whippet consumer-offset …`: where consumers and groups go on.

import type { Client } from "../../client/index.bun.ts";
import type { Consumer } from "../../protocol/consumer.ts";
import { IggyError } from "../../protocol/errors.ts";
import type { Identifier } from "../../protocol/identifier.ts";
import { type Command, serverCommand } from "../command.ts";
import { found } from "../missing.ts";
import { countText, numberText } from "../output/words.ts";
import { oneOf, optionOr, required } from "../parameters.ts";
import { Problem } from "../problem.ts";
import { identifier, identifierText, u64 } from "../values.ts";
import { lagOf, offsetText } from "./group-lag.ts";
import { type PartitionPlace, partition, partitionText, pollTopic, stream, topic } from "./places.ts";

const kinds = ["consumer", "consumer-group"] as const;
type Kind = (typeof kinds)[number];

const consumer = required(identifier, "Name or number of the consumer, or of the group with -k consumer-group", {
  completes: "groups",
});
const kind = optionOr("-k, --kind <KIND>", oneOf(kinds), "consumer", "consumer or consumer-group (consumer)", {
  choices: kinds,
});

type Args = PartitionPlace & { readonly consumer: Identifier; readonly kind: Kind };

function consumerOf(args: Args): Consumer {
  return { kind: args.kind === "consumer" ? "consumer" : "group", id: args.consumer };
}

function offsetPlace(args: Args) {
  return { consumer: consumerOf(args), stream: args.stream, topic: args.topic, partitionId: args.partition };
}

/** Who the members of a group are, by the addresses of their connections, as far as that may be seen. */
async function addressesOf(client: Client, args: Args, groupId: number): Promise<string[]> {
  try {
    const [streamId, topicId] = [
      (await client.getStream(args.stream))?.id,
      (await client.getTopic(args.stream, args.topic))?.id,
    ];
    const candidates = (await client.getClients()).filter(({ consumerGroupsCount }) => consumerGroupsCount > 0);
    const details = await Promise.all(candidates.map(({ clientId }) => client.getClient(clientId)));
    return details.flatMap((entry) => {
      const isMember = entry?.consumerGroups.some(
        (membership) =>
          membership.groupId === groupId && membership.streamId === streamId && membership.topicId === topicId,
      );
      return entry !== undefined && isMember ? [entry.address] : [];
    });
  } catch (error) {
    if (error instanceof IggyError) return []; // without the right for it the number has to do
    throw error;
  }
}

/**
 * Does something with the offset of a group, for which one has to be a member that owns the partition (spec SB 4.8): joins, does it and
 * leaves. Problem if the group has members, which would go on storing theirs.
 */
async function asOnlyMember(client: Client, args: Args, act: () => Promise<void>): Promise<void> {
  const details = found(await client.getConsumerGroup(args.stream, args.topic, args.consumer));
  if (details.membersCount > 0) {
    const addresses = await addressesOf(client, args, details.id);
    const who = addresses.length === 0 ? "" : ` (${addresses.join(", ")})`;
    const them = details.membersCount === 1 ? ["it", "it has"] : ["them", "they have"];
    throw new Problem(
      `${details.name} has ${countText(details.membersCount, "member")}${who}; stop ${them[0]} first, or wait until ${them[1]} left`,
    );
  }
  await client.joinConsumerGroup(args.stream, args.topic, args.consumer);
  try {
    await act();
  } finally {
    await client.leaveConsumerGroup(args.stream, args.topic, args.consumer);
  }
}

/** What the problem of something missing looks for: the group is called so only with the kind for it. */
async function act(client: Client, args: Args, change: () => Promise<void>): Promise<void> {
  if (args.kind === "consumer") await change();
  else await asOnlyMember(client, args, change);
}

const get = serverCommand({
  words: ["consumer-offset", "get"],
  alias: "g",
  summary: "Show where a consumer or a group goes on in a partition, and how far behind it is",
  examples: [
    "consumer-offset get web orders created 0",
    "consumer-offset get billing orders created 0 -k consumer-group",
  ],
  arguments: { consumer, stream, topic, partition },
  options: { kind },
  right: pollTopic("read offsets of"),
  async run(client, args, output) {
    const { partitions } = found(await client.getTopic(args.stream, args.topic));
    const record = found(partitions.find(({ id }) => id === args.partition));
    const offset = await client.getConsumerOffset(offsetPlace(args));
    const what = `${identifierText(args.consumer)} in ${partitionText(args)}`;
    if (offset === undefined) {
      if (args.kind === "consumer-group") found(await client.getConsumerGroup(args.stream, args.topic, args.consumer));
      throw new Problem(`no offset of ${args.kind} ${what} is stored  (error 3021)`, { exitCode: 5 });
    }
    const { committed, head, lag } = lagOf(record, offset.storedOffset);
    await output.show({
      document: {
        partition_id: offset.partitionId,
        current_offset: offset.currentOffset,
        stored_offset: offset.storedOffset,
      },
      shown: [`${what}: committed ${offsetText(committed)}, head ${offsetText(head)}, lag ${numberText(lag)}`],
    });
  },
});

const set = serverCommand({
  words: ["consumer-offset", "set"],
  alias: "s",
  summary: "Say where a consumer or a group goes on: behind this offset",
  details: "For a group the command becomes a member for a moment, so the group must have no others.",
  examples: [
    "consumer-offset set web orders created 0 400000",
    "consumer-offset set -k consumer-group billing orders created 0 400000",
  ],
  arguments: { consumer, stream, topic, partition, offset: required(u64, "Offset of the last message that is done") },
  options: { kind },
  right: pollTopic("store offsets of"),
  async run(client, args, output) {
    await act(client, args, () => client.storeConsumerOffset({ ...offsetPlace(args), offset: args.offset }));
    await output.say(
      `${identifierText(args.consumer)} in ${partitionText(args)}: committed ${numberText(args.offset)}.`,
    );
  },
});

const remove = serverCommand({
  words: ["consumer-offset", "delete"],
  alias: "d",
  summary: "Forget where a consumer or a group goes on in a partition",
  examples: [
    "consumer-offset delete web orders created 0",
    "consumer-offset delete -k consumer-group billing orders created 0",
  ],
  arguments: { consumer, stream, topic, partition },
  options: { kind },
  right: pollTopic("delete offsets of"),
  async run(client, args, output) {
    await act(client, args, () => client.deleteConsumerOffset(offsetPlace(args)));
    await output.say(`Deleted the offset of ${identifierText(args.consumer)} in ${partitionText(args)}.`);
  },
});

export const commands: readonly Command[] = [get, set, remove];
