// Settings of a topic: its name, how long and how much it keeps, its partitions, and its end.
import { useState } from "preact/hooks";
import type { ConsoleBroker, TopicDetails } from "../../client/console-client.ts";
import { writeAddress } from "../app/address.ts";
import { Refusal } from "../app/errors.ts";
import { adjust, page } from "../app/location.ts";
import { reload, useLoaded } from "../data/loaded.ts";
import { choiceOf, limitOf, sizeUnits, timeUnits } from "../data/retention.ts";
import { isReadOnly, mayChange, ownPermissions } from "../data/rights.ts";
import { streamIdOf } from "../data/streams.ts";
import { updateTopic } from "../data/writes.ts";
import { LoadedPart, Notice } from "../parts/notice.tsx";
import { RetentionFields } from "../parts/retention-fields.tsx";
import { SaveForm } from "../parts/save-form.tsx";
import { NameInput } from "../parts/text-inputs.tsx";
import { TopicHead } from "../parts/topic-head.tsx";
import { words } from "../words/en.ts";
import { manage as text } from "../words/manage.ts";
import { localTime } from "../words/numbers.ts";
import { RetentionEffect } from "./retention-effect.tsx";
import { TopicActions } from "./topic-actions.tsx";

type Found = {
  /** Undefined: there is no such topic. */
  readonly topic: TopicDetails | undefined;
  readonly streamId: number;
};

async function find(from: ConsoleBroker, stream: string, topic: string): Promise<Found> {
  const details = await from.getTopic(stream, topic);
  if (details === undefined) return { topic: undefined, streamId: 0 };
  return { topic: details, streamId: await streamIdOf(from, stream, details, ownPermissions()) };
}

export function TopicSettingsPage({ stream, topic }: { readonly stream: string; readonly topic: string }) {
  const loaded = useLoaded(`settings ${stream} ${topic}`, "", (from) => find(from, stream, topic), {
    kinds: ["topic", "user"],
  });
  return (
    <>
      <TopicHead stream={stream} topic={topic} tab="settings" details={loaded.value?.topic} />
      <LoadedPart loaded={loaded}>
        {({ topic: found, streamId }) =>
          found === undefined ? (
            <Notice>{words.topicPage.missing(topic)}</Notice>
          ) : (
            <>
              <Settings key={settingsKey(found)} stream={stream} streamId={streamId} topic={found} />
              {mayChange("createUser") ? (
                <p>
                  <a href={writeAddress({ kind: "newUser", topic: { stream, topic }, task: "read" })}>{text.newUser}</a>
                </p>
              ) : null}
            </>
          )
        }
      </LoadedPart>
    </>
  );
}

/** What is written in the form begins anew when somebody else has changed what it shows. */
function settingsKey({ id, name, messageExpiryMicros, maxTopicSizeBytes }: TopicDetails): string {
  return `${id} ${name} ${messageExpiryMicros} ${maxTopicSizeBytes}`;
}

function Settings({
  stream,
  streamId,
  topic,
}: {
  readonly stream: string;
  readonly streamId: number;
  readonly topic: TopicDetails;
}) {
  const [name, setName] = useState(topic.name);
  const [retention, setRetention] = useState({
    keep: choiceOf(topic.messageExpiryMicros, timeUnits),
    limit: choiceOf(topic.maxTopicSizeBytes, sizeUnits),
  });
  const mayUpdate = mayChange("updateTopic", streamId, topic.id);
  const expiry = limitOf(retention.keep, timeUnits);
  const limit = limitOf(retention.limit, sizeUnits);

  const save = async () => {
    if (expiry === undefined || limit === undefined) throw new Refusal(text.amountBad);
    const next = { name, messageExpiryMicros: expiry, maxTopicSizeBytes: limit };
    await updateTopic(streamId, topic, next, followName);
  };

  return (
    <>
      {mayUpdate ? null : <Notice>{isReadOnly() ? text.readOnly : text.mayNot}</Notice>}
      <SaveForm action={text.save} title={text.settings} isDisabled={!mayUpdate} onSave={save} onEnd={reload}>
        <div class="controls stacked">
          <NameInput label={text.name} value={name} onChange={setName} />
        </div>
        <RetentionFields value={retention} onChange={setRetention} />
        <RetentionEffect stream={stream} streamId={streamId} topic={topic} expiry={expiry} limit={limit} />
      </SaveForm>
      <h2>{text.about}</h2>
      <dl>
        <dt>{text.id}</dt>
        <dd>{topic.id}</dd>
        <dt>{text.createdAt}</dt>
        <dd>{localTime(topic.createdAtMicros).slice(0, 19)}</dd>
      </dl>
      <TopicActions streamId={streamId} topic={topic} />
    </>
  );
}

/** A page of the topic goes on under the new name. */
function followName(topic: string): void {
  const current = page.value;
  if (current.kind === "topicSettings") adjust({ ...current, topic });
}
