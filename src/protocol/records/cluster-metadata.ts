// Cluster metadata (spec BP 3.20): cluster name `str32`, nodes count u32, then per node
//
//   4 + n  name      2  TCP port       2  WebSocket port
//   4 + n  ip        2  QUIC port      1  role
//                    2  HTTP port      1  status

import { countedListCodec, recordCodec } from "../codec.ts";
import { longStringCodec, u16Codec } from "../primitives.ts";
import { type NodeRole, type NodeStatus, nodeRoleCodec, nodeStatusCodec } from "./enumerations.ts";

export type ClusterNode = {
  readonly name: string;
  readonly ip: string;
  readonly tcpPort: number;
  readonly quicPort: number;
  readonly httpPort: number;
  readonly websocketPort: number;
  readonly role: NodeRole;
  readonly status: NodeStatus;
};

export type ClusterMetadata = { readonly name: string; readonly nodes: readonly ClusterNode[] };

const clusterNodeCodec = recordCodec<ClusterNode>({
  name: longStringCodec,
  ip: longStringCodec,
  tcpPort: u16Codec,
  quicPort: u16Codec,
  httpPort: u16Codec,
  websocketPort: u16Codec,
  role: nodeRoleCodec,
  status: nodeStatusCodec,
});

export const clusterMetadataCodec = recordCodec<ClusterMetadata>({
  name: longStringCodec,
  nodes: countedListCodec(clusterNodeCodec),
});
