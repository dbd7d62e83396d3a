// One user: rights, status, password, and its end.
import { useState } from "preact/hooks";
import type { UserDetails } from "../../client/console-client.ts";
import { writeAddress } from "../app/address.ts";
import { writeErrorText } from "../app/errors.ts";
import { open } from "../app/location.ts";
import { useLoaded } from "../data/loaded.ts";
import { rightKey, rightsOf } from "../data/permission-rows.ts";
import { mayChange } from "../data/rights.ts";
import { session } from "../data/session.ts";
import { done } from "../data/undo.ts";
import { setStatus } from "../data/user-writes.ts";
import { currentBroker } from "../data/writes.ts";
import { ActionDialog } from "../parts/action-dialog.tsx";
import { LoadedPart, Notice } from "../parts/notice.tsx";
import { PageHead } from "../parts/page-head.tsx";
import { PasswordDialog } from "../parts/password-dialog.tsx";
import { localTime } from "../words/numbers.ts";
import { users as text } from "../words/users.ts";
import { RightsEditor } from "./rights-editor.tsx";

/** Of the user that every broker has. */
const rootId = 0;

export function UserPage({ name }: { readonly name: string }) {
  const loaded = useLoaded(`user ${name}`, "", async (from) => ({ user: await from.getUser(name) }), {
    kinds: ["user"],
  });
  return (
    <>
      <PageHead title={name} steps={[{ name: text.title, address: writeAddress({ kind: "users", q: "" }) }]} />
      <LoadedPart loaded={loaded}>
        {({ user }) =>
          user === undefined ? <Notice>{text.missing(name)}</Notice> : <User key={user.id} user={user} />
        }
      </LoadedPart>
    </>
  );
}

/** Ticks begin anew when somebody else has changed the rights. */
function permissionsKey({ permissions }: UserDetails): string {
  return permissions === undefined ? "" : rightsOf(permissions).map(rightKey).join(",");
}

function User({ user }: { readonly user: UserDetails }) {
  const [asking, setAsking] = useState<"password" | "delete" | undefined>(undefined);
  const [problem, setProblem] = useState<string | undefined>(undefined);
  const { id, username, status, createdAtMicros } = user;
  const { value } = session;
  const isOwn = value.kind === "signedIn" && value.session.user.id === id;
  const next = status === "active" ? "inactive" : "active";
  const onClose = () => setAsking(undefined);
  return (
    <>
      <dl>
        <dt>{text.id}</dt>
        <dd>{id}</dd>
        <dt>{text.created}</dt>
        <dd>{localTime(createdAtMicros).slice(0, 16)}</dd>
        <dt>{text.statusTitle}</dt>
        <dd>{text.status[status]}</dd>
      </dl>
      <p role="alert" class="problem">
        {problem}
      </p>
      <div class="buttons">
        {mayChange("updateUser") && !isOwn && id !== rootId ? (
          <button
            type="button"
            title={text.disableNote}
            onClick={() => {
              setProblem(undefined);
              setStatus(user, next).catch((error: unknown) => setProblem(writeErrorText(error)));
            }}
          >
            {next === "inactive" ? text.disable(username) : text.enable(username)}
          </button>
        ) : null}
        {mayChange("changePassword") ? (
          <button type="button" onClick={() => setAsking("password")}>
            {text.passwordChange}
          </button>
        ) : null}
        {mayChange("deleteUser") && !isOwn && id !== rootId ? (
          <button type="button" onClick={() => setAsking("delete")}>
            {text.delete}
          </button>
        ) : null}
      </div>
      <h2>{text.columns.rights}</h2>
      {id === rootId ? <p class="muted">{text.root}</p> : null}
      <RightsEditor key={permissionsKey(user)} user={user} mayEdit={mayChange("updatePermissions") && id !== rootId} />
      {asking === "password" ? <PasswordDialog user={user} isOwn={isOwn} onClose={onClose} /> : null}
      {asking === "delete" ? (
        <ActionDialog
          title={text.deleteTitle(username)}
          action={text.deleteTitle(username)}
          isDanger
          typedName={username}
          onClose={onClose}
          onSubmit={async () => {
            await currentBroker().deleteUser(id);
            done(text.deleted(username));
            open({ kind: "users", q: "" });
          }}
        >
          <p>{text.deleteNote}</p>
        </ActionDialog>
      ) : null}
    </>
  );
}
