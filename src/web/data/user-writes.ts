// Changes of users, each with what takes it back where that is possible.
import type { Permissions, UserDetails, UserStatus } from "../../client/console-client.ts";
import { Refusal } from "../app/errors.ts";
import { manage } from "../words/manage.ts";
import { users as text } from "../words/users.ts";
import { reload } from "./loaded.ts";
import { compactPermissions, differencesOf, noPermissions } from "./permission-rows.ts";
import { done } from "./undo.ts";
import { currentBroker } from "./writes.ts";

/** Errors: those of the command. */
export async function setStatus({ id, username, status }: UserDetails, next: UserStatus): Promise<void> {
  await currentBroker().updateUser(id, { status: next });
  done(text.isStatus(username, text.status[next]), async () => {
    const now = await currentBroker().getUser(id);
    if (now?.status !== next) throw new Refusal(now === undefined ? manage.isGone : text.isOther);
    await currentBroker().updateUser(id, { status });
    reload();
  });
  reload();
}

/** Errors: those of the command. */
export async function savePermissions(user: UserDetails, next: Permissions): Promise<void> {
  const { id, username, permissions: before } = user;
  await currentBroker().updatePermissions(id, compactPermissions(next));
  done(text.saved(username), async () => {
    const now = await currentBroker().getUser(id);
    if (now === undefined) throw new Refusal(manage.isGone);
    if (!isSame(now.permissions, next)) throw new Refusal(text.isOther);
    await currentBroker().updatePermissions(id, before);
    reload();
  });
}

/** Whether both give the same rights. */
export function isSame(left: Permissions | undefined, right: Permissions | undefined): boolean {
  const { given, taken } = differencesOf(left ?? noPermissions, right ?? noPermissions);
  return given.length === 0 && taken.length === 0;
}
