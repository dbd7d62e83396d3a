// Changes of streams and topics, each with what takes it back where that is possible. Objects are addressed by their numbers: a name
// may be another's by then.
import type { ConsoleBroker, TopicDetails } from "../../client/console-client.ts";
import { Refusal } from "../app/errors.ts";
import { manage as text } from "../words/manage.ts";
import { broker } from "./broker.ts";
import { reload } from "./loaded.ts";
import { done } from "./undo.ts";

/** The broker now: another session may have begun since. Throws a Refusal where there is none. */
export function currentBroker(): ConsoleBroker {
  const from = broker.peek();
  if (from === undefined) throw new Refusal(text.signedOut);
  return from;
}

type Named = { readonly id: number; readonly name: string };

/** `show`: called with the name that it has from then on. Errors: those of the command. */
export async function renameStream({ id, name }: Named, next: string, show: (name: string) => void): Promise<void> {
  await currentBroker().updateStream(id, next);
  show(next);
  done(text.renamed(name, next), async () => {
    const now = await currentBroker().getStream(id);
    if (now?.name !== next) throw new Refusal(now === undefined ? text.isGone : text.isNow(now.name));
    await currentBroker().updateStream(id, name);
    show(name);
    reload();
  });
}

/** What can be changed of a topic. */
export type TopicSettings = Pick<TopicDetails, "name" | "messageExpiryMicros" | "maxTopicSizeBytes">;

/** Everything is sent, so that nothing is reset. `show`: as `renameStream`. Errors: those of the command. */
export async function updateTopic(
  streamId: number,
  before: TopicDetails,
  next: TopicSettings,
  show: (name: string) => void,
): Promise<void> {
  await currentBroker().updateTopic(streamId, before.id, { ...settingsOf(before), ...rest(before), ...next });
  // The broker puts its own numbers in the place of "as the server has it".
  const written = await currentBroker().getTopic(streamId, before.id);
  show(next.name);
  done(text.saved(next.name), async () => {
    const now = await currentBroker().getTopic(streamId, before.id);
    if (now === undefined) throw new Refusal(text.isGone);
    if (written === undefined || !isSame(now, written)) throw new Refusal(text.isOther(differences(written, now)));
    await currentBroker().updateTopic(streamId, before.id, { ...rest(now), ...settingsOf(before) });
    show(before.name);
    reload();
  });
}

const settingNames = ["name", "messageExpiryMicros", "maxTopicSizeBytes"] as const;

function settingsOf({ name, messageExpiryMicros, maxTopicSizeBytes }: TopicSettings): TopicSettings {
  return { name, messageExpiryMicros, maxTopicSizeBytes };
}

function rest({ compression, replicationFactor }: TopicDetails) {
  return { compression, replicationFactor };
}

function isSame(left: TopicSettings, right: TopicSettings): boolean {
  return settingNames.every((name) => left[name] === right[name]);
}

/** In words: what each setting is by now. */
function differences(written: TopicSettings | undefined, now: TopicSettings): readonly string[] {
  return settingNames
    .filter((name) => written?.[name] !== now[name])
    .map((name) => text.settingNow(name, now.messageExpiryMicros, now.maxTopicSizeBytes, now.name));
}
