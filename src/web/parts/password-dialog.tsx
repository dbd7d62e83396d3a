// Another password, of the own user or of one that is managed.

import { done } from "../data/undo.ts";
import { currentBroker } from "../data/writes.ts";
import { users as text } from "../words/users.ts";
import { ActionDialog } from "./action-dialog.tsx";

export function PasswordDialog({
  user: { id, username },
  isOwn,
  onClose,
}: {
  readonly user: { readonly id: number; readonly username: string };
  readonly isOwn: boolean;
  readonly onClose: () => void;
}) {
  return (
    <ActionDialog
      title={text.passwordTitle(username)}
      action={text.passwordAction}
      onClose={onClose}
      onSubmit={async (form) => {
        await currentBroker().changePassword(id, String(form.get("current")), String(form.get("new")));
        done(text.passwordChanged(username));
      }}
    >
      <label>
        <span>{text.passwordCurrent}</span>
        <input name="current" type="password" autocomplete={isOwn ? "current-password" : "off"} required />
      </label>
      {isOwn ? null : <p class="muted">{text.passwordCurrentNote}</p>}
      <label>
        <span>{text.passwordNew}</span>
        <input name="new" type="password" autocomplete="new-password" required />
      </label>
    </ActionDialog>
  );
}
