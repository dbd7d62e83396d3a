// What can be done to a stream: a topic more, another name, no messages, no stream.
import { useState } from "preact/hooks";
import type { StreamHeader } from "../../client/console-client.ts";
import { sortDefault } from "../app/address.ts";
import { adjust, open, page } from "../app/location.ts";
import { mayChange } from "../data/rights.ts";
import { currentBroker, renameStream } from "../data/writes.ts";
import { ActionDialog } from "../parts/action-dialog.tsx";
import { Actions, DeleteDialog, PurgeDialog } from "../parts/actions.tsx";
import { NameInput } from "../parts/text-inputs.tsx";
import { manage as text } from "../words/manage.ts";
import { CreateTopic } from "./create-dialogs.tsx";

const actions = [
  { kind: "topic", operation: "createTopic", title: text.newTopic },
  { kind: "rename", operation: "updateStream", title: text.renameStream },
  { kind: "purge", operation: "purgeStream", title: text.purge },
  { kind: "delete", operation: "deleteStream", title: text.delete },
] as const;

export function StreamActions({ stream }: { readonly stream: StreamHeader }) {
  const { id, name } = stream;
  const target = { kind: "stream", name, streamId: id } as const;
  return (
    <Actions
      offered={actions.filter(({ operation }) => mayChange(operation, id))}
      dialogOf={(kind, onClose) => {
        switch (kind) {
          case "topic":
            return <CreateTopic stream={name} onClose={onClose} />;
          case "rename":
            return <Rename stream={stream} onClose={onClose} />;
          case "purge":
            return <PurgeDialog {...target} onClose={onClose} onPurge={() => currentBroker().purgeStream(id)} />;
          case "delete":
            return (
              <DeleteDialog
                {...target}
                onClose={onClose}
                onDelete={() => currentBroker().deleteStream(id)}
                onGone={() => open({ kind: "streams", q: "", sort: sortDefault })}
              />
            );
        }
      }}
    />
  );
}

function Rename({ stream, onClose }: { readonly stream: StreamHeader; readonly onClose: () => void }) {
  const [name, setName] = useState(stream.name);
  return (
    <ActionDialog
      title={text.renameTitle(stream.name)}
      action={text.rename}
      onClose={onClose}
      onSubmit={() => renameStream(stream, name, followName)}
    >
      <NameInput label={text.name} value={name} onChange={setName} />
      <p>{text.renameNote}</p>
    </ActionDialog>
  );
}

/** A page of the stream goes on under the new name. */
function followName(name: string): void {
  const current = page.value;
  if (current.kind === "stream" || current.kind === "streamSettings") adjust({ ...current, stream: name });
}
