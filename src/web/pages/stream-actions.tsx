// What can be done to a stream: a topic more, another name, no messages, no stream.
import { useState } from "preact/hooks";
import type { StreamHeader } from "../../client/console-client.ts";
import { sortDefault } from "../app/address.ts";
import { adjust, open, page } from "../app/location.ts";
import { mayChange } from "../data/rights.ts";
import { done } from "../data/undo.ts";
import { currentBroker, renameStream } from "../data/writes.ts";
import { ActionDialog } from "../parts/action-dialog.tsx";
import { Loss } from "../parts/loss.tsx";
import { manage as text } from "../words/manage.ts";
import { CreateTopic } from "./create-dialogs.tsx";

type Asking = "topic" | "rename" | "purge" | "delete";

const actions = [
  ["topic", "createTopic", text.newTopic],
  ["rename", "updateStream", text.renameStream],
  ["purge", "purgeStream", text.purge],
  ["delete", "deleteStream", text.delete],
] as const;

export function StreamActions({ stream }: { readonly stream: StreamHeader }) {
  const [asking, setAsking] = useState<Asking | undefined>(undefined);
  const { id, name } = stream;
  const offered = actions.filter(([, operation]) => mayChange(operation, id));
  if (offered.length === 0) return null;
  const onClose = () => setAsking(undefined);
  return (
    <>
      <div class="buttons">
        {offered.map(([kind, , title]) => (
          <button key={kind} type="button" onClick={() => setAsking(kind)}>
            {title}
          </button>
        ))}
      </div>
      {asking === "topic" ? <CreateTopic stream={name} onClose={onClose} /> : null}
      {asking === "rename" ? <Rename stream={stream} onClose={onClose} /> : null}
      {asking === "purge" ? (
        <ActionDialog
          title={text.purgeTitle("stream", name)}
          action={text.purgeTitle("stream", name)}
          isDanger
          typedName={name}
          onClose={onClose}
          onSubmit={async () => {
            await currentBroker().purgeStream(id);
            done(text.purged(name));
          }}
        >
          <Loss streamId={id} hasGroups={false} />
          <p>{text.purgeNote}</p>
        </ActionDialog>
      ) : null}
      {asking === "delete" ? (
        <ActionDialog
          title={text.deleteTitle("stream", name)}
          action={text.deleteTitle("stream", name)}
          isDanger
          typedName={name}
          onClose={onClose}
          onSubmit={async () => {
            await currentBroker().deleteStream(id);
            done(text.deleted(name));
            open({ kind: "streams", q: "", sort: sortDefault });
          }}
        >
          <Loss streamId={id} hasGroups />
          <p>{text.deleteNote}</p>
        </ActionDialog>
      ) : null}
    </>
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
      <label>
        <span>{text.name}</span>
        <input
          value={name}
          autocomplete="off"
          autocapitalize="none"
          spellcheck={false}
          required
          onInput={({ currentTarget }) => setName(currentTarget.value)}
        />
      </label>
      <p>{text.renameNote}</p>
    </ActionDialog>
  );
}

/** A page of the stream goes on under the new name. */
function followName(name: string): void {
  const current = page.value;
  if (current.kind === "stream" || current.kind === "streamSettings") adjust({ ...current, stream: name });
}
