// The names that the finder looks through: loaded stream by stream while it is open, groups looked for by the broker.
import { type ConsoleBroker, findGroups, IggyError } from "../../client/console-client.ts";
import { newestMessages, sortDefault, writeAddress } from "../app/address.ts";
import type { Item } from "./finder.ts";
import { topicsOf } from "./object-names.ts";
import { may, maySomewhere, ownPermissions, ownTopics } from "./rights.ts";
import { visibleStreams } from "./streams.ts";

const groupsMax = 20;

/** Names one after another, as they come. `isWanted`: false ends it. Errors: those of the commands. */
export async function loadNames(
  from: ConsoleBroker,
  add: (items: readonly Item[]) => void,
  isWanted: () => boolean,
): Promise<void> {
  add(ownTopics().map(({ stream, topic }) => topicItem(stream, topic)));
  const streams = await visibleStreams(from, ownPermissions());
  add(
    streams.map(({ name }) => ({
      kind: "stream",
      title: name,
      address: writeAddress({ kind: "stream", stream: name, q: "", sort: sortDefault }),
    })),
  );
  if (may("getUsers")) {
    const users = await from.getUsers();
    add(
      users.map(({ username }) => ({
        kind: "user",
        title: username,
        address: writeAddress({ kind: "user", name: username }),
      })),
    );
  }
  for (const { id, name } of streams) {
    if (!isWanted()) return;
    add((await topicsOf(from, id)).map((topic) => topicItem(name, topic.name)));
  }
}

function topicItem(stream: string, topic: string): Item {
  return { kind: "topic", title: `${stream} / ${topic}`, address: writeAddress(newestMessages(stream, topic)) };
}

/** Groups with the text in their name; the broker looks for them. Errors: ConsoleError. */
export async function loadGroups(query: string): Promise<readonly Item[]> {
  if (query.trim() === "" || !maySomewhere("consumerGroup")) return [];
  try {
    const { items } = await findGroups(query.trim(), groupsMax);
    return items.map(({ stream, topic, name }) => ({
      kind: "group",
      title: `${stream} / ${topic} / ${name}`,
      address: writeAddress({ kind: "group", stream, topic, group: name }),
    }));
  } catch (error) {
    if (IggyError.is(error, "Unauthorized")) return [];
    throw error;
  }
}
