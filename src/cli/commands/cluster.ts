// `whippet cluster …`

import { type Command, serverCommand } from "../command.ts";
import type { Table } from "../output/table.ts";
import { listMode } from "../parameters.ts";

const metadata = serverCommand({
  words: ["cluster", "metadata"],
  alias: "m",
  summary: "Show the nodes of the cluster with their ports",
  examples: ["cluster metadata", "cluster metadata -l list"],
  options: { listMode },
  async run(client, args, output) {
    const { name, nodes } = await client.getClusterMetadata();
    const table: Table = {
      columns: [
        { head: "NODE" },
        { head: "ADDRESS" },
        ...["TCP", "QUIC", "HTTP", "WEBSOCKET"].map((head) => ({ head, isRight: true })),
        { head: "ROLE" },
        { head: "STATUS" },
      ],
      rows: nodes.map((node) => [
        node.name,
        node.ip,
        ...[node.tcpPort, node.quicPort, node.httpPort, node.websocketPort].map((port) =>
          port === 0 ? "–" : String(port),
        ),
        node.role,
        node.status,
      ]),
    };
    await output.as(args.listMode).show({
      document: {
        name,
        nodes: nodes.map((node) => ({
          name: node.name,
          ip: node.ip,
          endpoints: { tcp: node.tcpPort, quic: node.quicPort, http: node.httpPort, websocket: node.websocketPort },
          role: node.role,
          status: node.status,
        })),
      },
      shown: [`cluster ${name}`, table],
      list: nodes.map((node) => [
        node.name,
        node.ip,
        node.tcpPort,
        node.quicPort,
        node.httpPort,
        node.websocketPort,
        node.role,
        node.status,
      ]),
    });
  },
});

export const commands: readonly Command[] = [metadata];
