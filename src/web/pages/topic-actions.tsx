// What can be done to a topic beside its settings: partitions more or less, no messages, no topic.
import { useState } from "preact/hooks";
import type { TopicDetails } from "../../client/console-client.ts";
import { sortDefault } from "../app/address.ts";
import { Refusal } from "../app/errors.ts";
import { open, page } from "../app/location.ts";
import { mayChange, maySeeStream } from "../data/rights.ts";
import { done } from "../data/undo.ts";
import { currentBroker } from "../data/writes.ts";
import { ActionDialog } from "../parts/action-dialog.tsx";
import { Loss } from "../parts/loss.tsx";
import { manage as text } from "../words/manage.ts";
import { size } from "../words/numbers.ts";

type Asking = "add" | "remove" | "purge" | "delete";
type Target = { readonly streamId: number; readonly topic: TopicDetails };

/** Of one request (spec BP 4.8). */
const partitionsMax = 1000;

const actions = [
  ["add", "createPartitions", text.addPartitions],
  ["remove", "deletePartitions", text.removePartitions],
  ["purge", "purgeTopic", text.purge],
  ["delete", "deleteTopic", text.delete],
] as const;

export function TopicActions({ streamId, topic }: Target) {
  const [asking, setAsking] = useState<Asking | undefined>(undefined);
  const { id, name, partitions } = topic;
  const offered = actions.filter(
    ([kind, operation]) => mayChange(operation, streamId, id) && (kind !== "remove" || partitions.length > 1),
  );
  if (offered.length === 0) return null;
  const onClose = () => setAsking(undefined);
  return (
    <>
      <h2>{text.actions}</h2>
      <div class="buttons">
        {offered.map(([kind, , title]) => (
          <button key={kind} type="button" onClick={() => setAsking(kind)}>
            {title}
          </button>
        ))}
      </div>
      {asking === "add" ? <AddPartitions streamId={streamId} topic={topic} onClose={onClose} /> : null}
      {asking === "remove" ? <RemovePartitions streamId={streamId} topic={topic} onClose={onClose} /> : null}
      {asking === "purge" ? (
        <ActionDialog
          title={text.purgeTitle("topic", name)}
          action={text.purgeTitle("topic", name)}
          isDanger
          typedName={name}
          onClose={onClose}
          onSubmit={async () => {
            await currentBroker().purgeTopic(streamId, id);
            done(text.purged(name));
          }}
        >
          <Loss streamId={streamId} topicId={id} hasGroups={false} />
          <p>{text.purgeNote}</p>
        </ActionDialog>
      ) : null}
      {asking === "delete" ? (
        <ActionDialog
          title={text.deleteTitle("topic", name)}
          action={text.deleteTitle("topic", name)}
          isDanger
          typedName={name}
          onClose={onClose}
          onSubmit={async () => {
            await currentBroker().deleteTopic(streamId, id);
            done(text.deleted(name));
            const current = page.value;
            const stream = current.kind === "topicSettings" ? current.stream : "";
            const list = { q: "", sort: sortDefault } as const;
            open(maySeeStream(stream) ? { kind: "stream", stream, ...list } : { kind: "streams", ...list });
          }}
        >
          <Loss streamId={streamId} topicId={id} hasGroups />
          <p>{text.deleteNote}</p>
        </ActionDialog>
      ) : null}
    </>
  );
}

function AddPartitions({ streamId, topic, onClose }: Target & { readonly onClose: () => void }) {
  const [number, setNumber] = useState("1");
  return (
    <ActionDialog
      title={text.addPartitionsTitle(topic.name)}
      action={text.addPartitionsAction(number)}
      onClose={onClose}
      onSubmit={async () => {
        const added = readCount(number, partitionsMax);
        await currentBroker().createPartitions(streamId, topic.id, added);
        done(text.added(added));
      }}
    >
      <NumberInput value={number} onChange={setNumber} />
      <p>{text.addNote}</p>
    </ActionDialog>
  );
}

function RemovePartitions({ streamId, topic, onClose }: Target & { readonly onClose: () => void }) {
  const [number, setNumber] = useState("1");
  const most = topic.partitions.length - 1;
  const last = topic.partitions.toSorted((left, right) => right.id - left.id).slice(0, Number(number) || 0);
  const messages = last.reduce((sum, { messagesCount }) => sum + messagesCount, 0n);
  const sizeBytes = last.reduce((sum, partition) => sum + partition.sizeBytes, 0n);
  return (
    <ActionDialog
      title={text.removePartitionsTitle(topic.name)}
      action={text.removePartitionsAction(number)}
      isDanger
      typedName={topic.name}
      onClose={onClose}
      onSubmit={async () => {
        const removed = readCount(number, Math.min(most, partitionsMax));
        await currentBroker().deletePartitions(streamId, topic.id, removed);
        done(text.removed(removed));
      }}
    >
      <NumberInput value={number} onChange={setNumber} />
      <p>{text.goes([text.messagesPart(messages), size(sizeBytes)])}</p>
      <p>{text.removeNote}</p>
    </ActionDialog>
  );
}

/** Throws a Refusal for what is none. */
function readCount(written: string, most: number): number {
  const value = Number(written);
  if (!Number.isInteger(value) || value < 1 || value > most) throw new Refusal(text.howManyBad(most));
  return value;
}

function NumberInput({ value, onChange }: { readonly value: string; readonly onChange: (value: string) => void }) {
  return (
    <label>
      <span>{text.howMany}</span>
      <input
        value={value}
        inputMode="numeric"
        autocomplete="off"
        required
        onInput={({ currentTarget }) => onChange(currentTarget.value)}
      />
    </label>
  );
}
