// What can be done to a stream or a topic: a button for each action, and the dialogs for those that cannot be taken back.
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { done } from "../data/undo.ts";
import { manage as text } from "../words/manage.ts";
import { ActionDialog } from "./action-dialog.tsx";
import { Loss } from "./loss.tsx";

/** Buttons, and the dialog of the one that was pressed. Nothing where nothing is offered. */
export function Actions<Kind extends string>({
  offered,
  heading,
  dialogOf,
}: {
  readonly offered: readonly { readonly kind: Kind; readonly title: string }[];
  readonly heading?: ComponentChildren;
  readonly dialogOf: (kind: Kind, onClose: () => void) => ComponentChildren;
}) {
  const [asking, setAsking] = useState<Kind | undefined>(undefined);
  if (offered.length === 0) return null;
  return (
    <>
      {heading}
      <div class="buttons">
        {offered.map(({ kind, title }) => (
          <button key={kind} type="button" onClick={() => setAsking(kind)}>
            {title}
          </button>
        ))}
      </div>
      {asking === undefined ? null : dialogOf(asking, () => setAsking(undefined))}
    </>
  );
}

type Target = {
  readonly kind: "stream" | "topic";
  readonly name: string;
  readonly streamId: number;
  /** Of a topic. */
  readonly topicId?: number;
  readonly onClose: () => void;
};

/** Asks for the name before all messages go. `onPurge` rejects with what goes wrong. */
export function PurgeDialog({
  kind,
  name,
  streamId,
  topicId,
  onClose,
  onPurge,
}: Target & { readonly onPurge: () => Promise<void> }) {
  const title = text.purgeTitle(kind, name);
  const submit = async () => {
    await onPurge();
    done(text.purged(name));
  };
  return (
    <ActionDialog title={title} action={title} isDanger typedName={name} onClose={onClose} onSubmit={submit}>
      <Loss streamId={streamId} {...(topicId !== undefined && { topicId })} hasGroups={false} />
      <p>{text.purgeNote}</p>
    </ActionDialog>
  );
}

/** Asks for the name before it goes, with all that is in it. `onDelete` rejects with what goes wrong; `onGone`: where to go then. */
export function DeleteDialog({
  kind,
  name,
  streamId,
  topicId,
  onClose,
  onDelete,
  onGone,
}: Target & { readonly onDelete: () => Promise<void>; readonly onGone: () => void }) {
  const title = text.deleteTitle(kind, name);
  const submit = async () => {
    await onDelete();
    done(text.deleted(name));
    onGone();
  };
  return (
    <ActionDialog title={title} action={title} isDanger typedName={name} onClose={onClose} onSubmit={submit}>
      <Loss streamId={streamId} {...(topicId !== undefined && { topicId })} hasGroups />
      <p>{text.deleteNote}</p>
    </ActionDialog>
  );
}
