// The rights of a user as a tree: everywhere, stream by stream, topic by topic. What is changed is marked, and shown before it is saved.
import { useState } from "preact/hooks";
import {
  globalFlags,
  type Permissions,
  streamFlags,
  topicFlags,
  type UserDetails,
} from "../../client/console-client.ts";
import { useLoaded } from "../data/loaded.ts";
import { objectNames, topicKey } from "../data/object-names.ts";
import {
  differencesOf,
  noPermissions,
  type Right,
  rightKey,
  rightsOf,
  withEntry,
  withRight,
} from "../data/permission-rows.ts";
import { session } from "../data/session.ts";
import { savePermissions } from "../data/user-writes.ts";
import { ActionDialog } from "../parts/action-dialog.tsx";
import { TopicChoice } from "../parts/topic-choice.tsx";
import { users as text } from "../words/users.ts";

export type SubjectNames = (streamId: number, topicId?: number) => string;

export function RightsEditor({ user, mayEdit }: { readonly user: UserDetails; readonly mayEdit: boolean }) {
  const before = user.permissions ?? noPermissions;
  const [permissions, setPermissions] = useState<Permissions>(before);
  const [isSaving, setIsSaving] = useState(false);
  const nameOf = useSubjectNames(permissions);
  const { given, taken } = differencesOf(before, permissions);
  const isChanged = given.length + taken.length > 0;
  return (
    <>
      <RightsTree
        permissions={permissions}
        before={before}
        nameOf={nameOf}
        onChange={mayEdit ? (right, isGiven) => setPermissions(withRight(permissions, right, isGiven)) : undefined}
      />
      {mayEdit ? (
        <>
          <AddEntry onAdd={(streamId, topicId) => setPermissions(withEntry(permissions, streamId, topicId))} />
          <div class="buttons">
            <button
              type="button"
              class="primary"
              aria-disabled={!isChanged}
              onClick={() => {
                if (isChanged) setIsSaving(true);
              }}
            >
              {text.save}
            </button>
            {isChanged ? null : <span class="muted">{text.unchanged}</span>}
          </div>
        </>
      ) : null}
      {isSaving ? (
        <ActionDialog
          title={text.saveTitle(user.username)}
          action={text.saveAction}
          onClose={() => setIsSaving(false)}
          onSubmit={() => savePermissions(user, permissions)}
        >
          <h3>{text.given}</h3>
          <RightsList rights={given} nameOf={nameOf} />
          <h3>{text.taken}</h3>
          <RightsList rights={taken} nameOf={nameOf} />
          <p>{text.atOnce}</p>
          {isOwn(user) && taken.length > 0 ? <p class="problem">{text.ownWarning}</p> : null}
        </ActionDialog>
      ) : null}
    </>
  );
}

function isOwn({ id }: UserDetails): boolean {
  const { value } = session;
  return value.kind === "signedIn" && value.session.user.id === id;
}

/** How streams and topics of some rights are called. */
export function useSubjectNames(permissions: Permissions): SubjectNames {
  const streams = permissions.streams.map(({ streamId, topics }) => `${streamId}:${topics.length}`).join(" ");
  const { value: names } = useLoaded("names", streams, (from) => objectNames(from, permissions), {
    kinds: ["stream", "topic"],
  });
  return (streamId, topicId) => {
    const stream = names?.streams.get(streamId) ?? text.unknown("stream", streamId);
    if (topicId === undefined) return text.ofStream(stream);
    return text.ofTopic(stream, names?.topics.get(topicKey(streamId, topicId)) ?? text.unknown("topic", topicId));
  };
}

function RightsTree({
  permissions,
  before,
  nameOf,
  onChange,
}: {
  readonly permissions: Permissions;
  readonly before: Permissions;
  readonly nameOf: SubjectNames;
  /** Undefined: they are only shown. */
  readonly onChange: ((right: Right, isGiven: boolean) => void) | undefined;
}) {
  const [now, then] = [permissions, before].map((one) => new Set(rightsOf(one).map(rightKey)));
  const group = (title: string, rights: readonly Right[]) => (
    <fieldset key={title} class="rights" disabled={onChange === undefined}>
      <legend>{title}</legend>
      {rights.map((right) => {
        const key = rightKey(right);
        const isGiven = now!.has(key);
        const isChanged = isGiven !== then!.has(key);
        return (
          <label key={key} class="tick">
            <input
              type="checkbox"
              checked={isGiven}
              onChange={({ currentTarget }) => onChange?.(right, currentTarget.checked)}
            />
            <span>{text.flags[right.flag]}</span>
            {isChanged ? <span class="badge">{text.changed}</span> : null}
          </label>
        );
      })}
    </fieldset>
  );
  return (
    <>
      {group(
        text.everywhere,
        globalFlags.map((flag) => ({ flag })),
      )}
      {permissions.streams.map(({ streamId, topics }) => (
        <div key={streamId} class="branch">
          {group(
            nameOf(streamId),
            streamFlags.map((flag) => ({ flag, streamId })),
          )}
          {topics.map(({ topicId }) =>
            group(
              nameOf(streamId, topicId),
              topicFlags.map((flag) => ({ flag, streamId, topicId })),
            ),
          )}
        </div>
      ))}
    </>
  );
}

export function RightsList({ rights, nameOf }: { readonly rights: readonly Right[]; readonly nameOf: SubjectNames }) {
  if (rights.length === 0) return <p class="muted">{text.nothing}</p>;
  return (
    <ul>
      {rights.map((right) => (
        <li key={rightKey(right)}>
          {right.streamId === undefined ? text.everywhere : nameOf(right.streamId, right.topicId)}
          {": "}
          {text.flags[right.flag]}
        </li>
      ))}
    </ul>
  );
}

function AddEntry({ onAdd }: { readonly onAdd: (streamId: number, topicId: number | undefined) => void }) {
  const [chosen, setChosen] = useState<{ streamId: number | undefined; topicId: number | undefined }>({
    streamId: undefined,
    topicId: undefined,
  });
  const { streamId, topicId } = chosen;
  return (
    <div class="controls">
      <TopicChoice value={chosen} none={text.wholeStream} onChange={setChosen} />
      <button
        type="button"
        aria-disabled={streamId === undefined}
        onClick={() => {
          if (streamId !== undefined) onAdd(streamId, topicId);
        }}
      >
        {text.add}
      </button>
    </div>
  );
}
