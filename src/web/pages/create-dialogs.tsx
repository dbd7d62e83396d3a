// New streams and topics.
import { useState } from "preact/hooks";
import { newestMessages, sortDefault } from "../app/address.ts";
import { Refusal } from "../app/errors.ts";
import { open } from "../app/location.ts";
import { limitOf, sizeUnits, timeUnits } from "../data/retention.ts";
import { done } from "../data/undo.ts";
import { currentBroker } from "../data/writes.ts";
import { ActionDialog } from "../parts/action-dialog.tsx";
import { type RetentionChoice, RetentionFields } from "../parts/retention-fields.tsx";
import { NameInput, NumberInput } from "../parts/text-inputs.tsx";
import { manage as text } from "../words/manage.ts";

export function CreateStream({ onClose }: { readonly onClose: () => void }) {
  const [name, setName] = useState("");
  return (
    <ActionDialog
      title={text.newStream}
      action={text.create(name)}
      onClose={onClose}
      onSubmit={async () => {
        await currentBroker().createStream(name);
        done(text.created(name));
        open({ kind: "stream", stream: name, q: "", sort: sortDefault });
      }}
    >
      <NameInput label={text.name} value={name} onChange={setName} />
    </ActionDialog>
  );
}

const partitionsMax = 1000;
const asTheServer: RetentionChoice = {
  keep: { kind: "default", amount: "", unit: "days" },
  limit: { kind: "default", amount: "", unit: "GB" },
};

export function CreateTopic({ stream, onClose }: { readonly stream: string; readonly onClose: () => void }) {
  const [name, setName] = useState("");
  const [partitions, setPartitions] = useState("1");
  const [retention, setRetention] = useState(asTheServer);
  const create = async () => {
    const partitionsCount = Number(partitions);
    if (!Number.isInteger(partitionsCount) || partitionsCount < 1 || partitionsCount > partitionsMax) {
      throw new Refusal(text.partitionsBad);
    }
    const messageExpiryMicros = limitOf(retention.keep, timeUnits);
    const maxTopicSizeBytes = limitOf(retention.limit, sizeUnits);
    if (messageExpiryMicros === undefined || maxTopicSizeBytes === undefined) throw new Refusal(text.amountBad);
    await currentBroker().createTopic(stream, { name, partitionsCount, messageExpiryMicros, maxTopicSizeBytes });
    done(text.created(name));
    open(newestMessages(stream, name));
  };
  return (
    <ActionDialog title={text.newTopic} action={text.create(name)} onClose={onClose} onSubmit={create}>
      <NameInput label={text.name} value={name} onChange={setName} />
      <NumberInput label={text.partitions} value={partitions} onChange={setPartitions} />
      <RetentionFields value={retention} onChange={setRetention} />
    </ActionDialog>
  );
}
