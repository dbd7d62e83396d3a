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
import { Actions, DeleteDialog, PurgeDialog } from "../parts/actions.tsx";
import { NumberInput } from "../parts/text-inputs.tsx";
import { manage as text } from "../words/manage.ts";
import { size } from "../words/numbers.ts";

type Target = { readonly streamId: number; readonly topic: TopicDetails };

/** Of one request (spec BP 4.8). */
const partitionsMax = 1000;

const actions = [
  { kind: "add", operation: "createPartitions", title: text.addPartitions },
  { kind: "remove", operation: "deletePartitions", title: text.removePartitions },
  { kind: "purge", operation: "purgeTopic", title: text.purge },
  { kind: "delete", operation: "deleteTopic", title: text.delete },
] as const;

export function TopicActions({ streamId, topic }: Target) {
  const { id, name, partitions } = topic;
  const target = { kind: "topic", name, streamId, topicId: id } as const;
  const offered = actions.filter(
    ({ kind, operation }) => mayChange(operation, streamId, id) && (kind !== "remove" || partitions.length > 1),
  );
  return (
    <Actions
      offered={offered}
      heading={<h2>{text.actions}</h2>}
      dialogOf={(kind, onClose) => {
        switch (kind) {
          case "add":
            return <AddPartitions streamId={streamId} topic={topic} onClose={onClose} />;
          case "remove":
            return <RemovePartitions streamId={streamId} topic={topic} onClose={onClose} />;
          case "purge":
            return (
              <PurgeDialog {...target} onClose={onClose} onPurge={() => currentBroker().purgeTopic(streamId, id)} />
            );
          case "delete":
            return (
              <DeleteDialog
                {...target}
                onClose={onClose}
                onDelete={() => currentBroker().deleteTopic(streamId, id)}
                onGone={openListAbove}
              />
            );
        }
      }}
    />
  );
}

/** Of the stream's topics, or of all streams for those who may not see it. */
function openListAbove(): void {
  const current = page.value;
  const stream = current.kind === "topicSettings" ? current.stream : "";
  const list = { q: "", sort: sortDefault } as const;
  open(maySeeStream(stream) ? { kind: "stream", stream, ...list } : { kind: "streams", ...list });
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
      <NumberInput label={text.howMany} value={number} onChange={setNumber} />
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
      <NumberInput label={text.howMany} value={number} onChange={setNumber} />
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
