import { bool, optional, text, u16 } from "./fields.ts";
import { section, tables } from "./node.ts";

const port = (transport: string) =>
  optional(u16({ default: 0, doc: `${transport} port; the current node's when absent.` }));

export const cluster = section(
  {
    enabled: bool({
      default: false,
      doc: "Report these nodes in the cluster metadata, to clients of 0.8; those of 0.9 are told of this one alone.",
    }),
    name: text({ default: "iggy-cluster", doc: "Name of the cluster." }),
    node: section({
      current: section({
        name: text({ default: "iggy-node-1", doc: "Name of this node." }),
        ip: text({ default: "127.0.0.1", doc: "Address of this node." }),
      }),
      others: tables(
        {
          name: text({ required: true, doc: "Name of the node." }),
          ip: text({ required: true, doc: "Address of the node." }),
          ports: section({ tcp: port("TCP"), quic: port("QUIC"), http: port("HTTP"), websocket: port("WebSocket") }),
        },
        {
          doc: "The other nodes.",
          default: [
            { name: "iggy-node-2", ip: "127.0.0.1", ports: { tcp: 8091, quic: 8081, http: 3001, websocket: 8093 } },
          ],
        },
      ),
    }),
  },
  "Cluster metadata",
);
