// `whippet client …`: who is connected.

import { clientDetailsDocument, clientDocument, transportText } from "../api/system.ts";
import { type Command, serverCommand } from "../command.ts";
import type { Table } from "../output/table.ts";
import { listMode, required } from "../parameters.ts";
import { Problem } from "../problem.ts";
import { integer } from "../values.ts";
import { groupText } from "./me.ts";

const right = () => ({ what: "see the clients of the server", names: ["read_servers", "manage_servers"] });

const get = serverCommand({
  words: ["client", "get"],
  alias: "g",
  summary: "Show a client with the groups that it is a member of",
  examples: ["client get 42", "client get 42 --json"],
  arguments: { clientId: required(integer(0, 2 ** 32 - 1), "Number of the client, from client list") },
  right,
  async run(client, { clientId }, output) {
    const details = await client.getClient(clientId);
    if (details === undefined) throw new Problem(`no client ${clientId}  (error 100)`, { exitCode: 5 });
    const groups = await Promise.all(details.consumerGroups.map((entry) => groupText(client, entry)));
    const user = details.userId === undefined ? "not logged in" : `user ${details.userId}`;
    const memberships = groups.length === 0 ? [] : [`member of ${groups.join(", ")}`];
    const facts = [
      `client ${details.clientId}`,
      user,
      transportText(details.transport),
      details.address,
      ...memberships,
    ];
    await output.show({ document: clientDetailsDocument(details), shown: [facts.join("   ")] });
  },
});

const list = serverCommand({
  words: ["client", "list"],
  alias: "l",
  summary: "List all clients",
  examples: ["client list", "client list -l list"],
  options: { listMode },
  right,
  async run(client, args, output) {
    const clients = await client.getClients();
    const table: Table = {
      columns: [
        { head: "ID", isRight: true },
        { head: "USER", isRight: true },
        { head: "ADDRESS" },
        { head: "TRANSPORT" },
        { head: "GROUPS", isRight: true },
      ],
      rows: clients.map((entry) => [
        String(entry.clientId),
        entry.userId === undefined ? "–" : String(entry.userId),
        entry.address,
        transportText(entry.transport),
        String(entry.consumerGroupsCount),
      ]),
    };
    await output.as(args.listMode).show({
      document: clients.map(clientDocument),
      shown: [table],
      list: clients.map((entry) => [
        entry.clientId,
        entry.userId ?? "",
        entry.address,
        transportText(entry.transport),
        entry.consumerGroupsCount,
      ]),
    });
  },
});

export const commands: readonly Command[] = [list, get];
