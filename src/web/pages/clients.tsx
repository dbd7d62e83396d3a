// Who is connected, on every shard.
import type { ClientHeader } from "../../client/console-client.ts";
import { writeAddress } from "../app/address.ts";
import type { ClientsPage as ClientsAddress } from "../app/admin-address.ts";
import { adjust, open } from "../app/location.ts";
import { useLoaded } from "../data/loaded.ts";
import { useMetrics } from "../data/metrics.ts";
import { userNames } from "../data/users.ts";
import { Field } from "../parts/field.tsx";
import { Filter } from "../parts/filter.tsx";
import { type Column, Grid } from "../parts/grid.tsx";
import { LoadedPart, Notice } from "../parts/notice.tsx";
import { PageHead } from "../parts/page-head.tsx";
import { clientsText as text } from "../words/clients.ts";
import { count } from "../words/numbers.ts";

type Row = ClientHeader & { readonly user: string };

const transports = ["tcp", "quic", "websocket"] as const;

const columns: readonly Column<Row>[] = [
  { id: "client", title: text.columns.id, cell: ({ clientId }) => clientId },
  { id: "user", title: text.columns.user, cell: ({ user }) => user },
  { id: "address", title: text.columns.address, cell: ({ address }) => address },
  { id: "transport", title: text.columns.transport, cell: ({ transport }) => transport },
  {
    id: "groups",
    title: text.columns.groups,
    isNumber: true,
    cell: ({ consumerGroupsCount }) => count(consumerGroupsCount),
  },
];

function matches({ clientId, user, address }: Row, query: string): boolean {
  const wanted = query.trim().toLowerCase();
  return [String(clientId), user, address].some((part) => part.toLowerCase().includes(wanted));
}

export function ClientsPage({ page }: { readonly page: ClientsAddress }) {
  // The broker tells how many there are: another number means another list.
  const { last } = useMetrics();
  const loaded = useLoaded(
    "clients",
    `${last?.values.clients ?? ""}`,
    async (from) => {
      const [clients, names] = await Promise.all([from.getClients(), userNames(from)]);
      return clients.map((client): Row => ({ ...client, user: userOf(client, names) }));
    },
    { kinds: ["user"] },
  );
  const all = loaded.value ?? [];
  const rows = all.filter(
    (row) =>
      matches(row, page.q) &&
      (page.user === "" || row.user === page.user) &&
      (page.transport === "" || row.transport === page.transport),
  );
  const users = [...new Set([...all.map(({ user }) => user), ...(page.user === "" ? [] : [page.user])])].sort();
  return (
    <>
      <PageHead title={text.title} summary={loaded.value && text.summary(rows.length, all.length)}>
        <div class="controls">
          <Filter value={page.q} onChange={(q) => adjust({ ...page, q })} />
          <Choice label={text.user} value={page.user} all={users} onChange={(user) => adjust({ ...page, user })} />
          <Choice
            label={text.transport}
            value={page.transport}
            all={transports}
            onChange={(transport) => adjust({ ...page, transport })}
          />
        </div>
      </PageHead>
      <p class="muted">{text.note}</p>
      <LoadedPart loaded={loaded}>
        {() =>
          rows.length === 0 ? (
            <Notice>{text.none}</Notice>
          ) : (
            <Grid
              label={text.title}
              columns={columns}
              rows={rows}
              keyOf={({ clientId }) => String(clientId)}
              addressOf={({ clientId }) => writeAddress({ kind: "client", clientId })}
              onOpen={({ clientId }) => open({ kind: "client", clientId })}
            />
          )
        }
      </LoadedPart>
    </>
  );
}

/** What the list and the page of one call the user of a client. */
export function userOf({ userId }: ClientHeader, names: ReadonlyMap<number, string>): string {
  if (userId === undefined) return text.nobody;
  return names.get(userId) ?? text.userById(userId);
}

function Choice({
  label,
  value,
  all,
  onChange,
}: {
  readonly label: string;
  readonly value: string;
  readonly all: readonly string[];
  readonly onChange: (value: string) => void;
}) {
  return (
    <Field label={label} isInline>
      {(id) => (
        <select id={id} value={value} onChange={({ currentTarget }) => onChange(currentTarget.value)}>
          <option value="">{text.any}</option>
          {all.map((name) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}
