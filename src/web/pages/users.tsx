// All users, with their rights in one line.
import { type ConsoleBroker, globalFlags, type UserEntry } from "../../client/console-client.ts";
import { sortDefault, writeAddress } from "../app/address.ts";
import { adjust, open } from "../app/location.ts";
import { useLoaded } from "../data/loaded.ts";
import { noPermissions, rightsOf } from "../data/permission-rows.ts";
import { mayChange } from "../data/rights.ts";
import { Filter } from "../parts/filter.tsx";
import { type Column, Grid } from "../parts/grid.tsx";
import { LoadedPart, Notice } from "../parts/notice.tsx";
import { PageHead } from "../parts/page-head.tsx";
import { localTime, utcTime } from "../words/numbers.ts";
import { users as text } from "../words/users.ts";
import { narrowed } from "./narrowed.ts";

type Row = UserEntry & { readonly name: string; readonly rights: string };

/** Of more users the rights are not asked for: each is a request. */
const withRightsMax = 200;
/** Longer lists are a number. */
const rightsInLineMax = 3;
/** By name only. */
const sortValues = {};

async function find(from: ConsoleBroker): Promise<readonly Row[]> {
  const all = await from.getUsers();
  const details = await Promise.all(all.slice(0, withRightsMax).map(({ id }) => from.getUser(id)));
  const rights = new Map(details.map((user) => [user?.id, rightsLine(user?.permissions ?? noPermissions)]));
  return all.map((user) => ({ ...user, name: user.username, rights: rights.get(user.id) ?? text.rights.loading }));
}

function rightsLine(permissions: Parameters<typeof rightsOf>[0]): string {
  const rights = rightsOf(permissions);
  if (rights.length === 0) return text.rights.none;
  if (globalFlags.every((flag) => permissions.global[flag])) return text.rights.all;
  const isShort = rights.length <= rightsInLineMax;
  return isShort ? rights.map(({ flag }) => text.flags[flag]).join(", ") : text.rights.many(rights.length);
}

const columns: readonly Column<Row>[] = [
  { id: "name", title: text.columns.name, cell: ({ username }) => username },
  { id: "status", title: text.columns.status, cell: ({ status }) => text.status[status] },
  { id: "rights", title: text.columns.rights, hint: ({ rights }) => rights, cell: ({ rights }) => rights },
  {
    id: "created",
    title: text.columns.created,
    hint: ({ createdAtMicros }) => utcTime(createdAtMicros),
    cell: ({ createdAtMicros }) => localTime(createdAtMicros).slice(0, 16),
  },
];

export function UsersPage({ q }: { readonly q: string }) {
  const loaded = useLoaded("users", "", find, { kinds: ["user"] });
  return (
    <>
      <PageHead title={text.title} summary={loaded.value && text.summary(loaded.value.length)}>
        <Filter value={q} onChange={(next) => adjust({ kind: "users", q: next })} />
        {mayChange("createUser") ? (
          <a href={writeAddress({ kind: "newUser", topic: undefined, task: "read" })}>{text.new}</a>
        ) : null}
      </PageHead>
      <LoadedPart loaded={loaded}>
        {(all) => {
          const rows = narrowed(all, q, sortDefault, sortValues);
          if (rows.length === 0) return <Notice>{text.none(q)}</Notice>;
          return (
            <Grid
              label={text.title}
              columns={columns}
              rows={rows}
              keyOf={({ id }) => String(id)}
              addressOf={({ name }) => writeAddress({ kind: "user", name })}
              onOpen={({ name }) => open({ kind: "user", name })}
            />
          );
        }}
      </LoadedPart>
    </>
  );
}
