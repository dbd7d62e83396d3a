// Small enumerations (spec BP 3.22). In replies an unknown code is InvalidCommand (3). Requests carry the raw code,
// because its check comes after the login check and other checks of values (spec BP 2.9, 4.3, 4.8): the handler turns the
// code into a name with the `…Of` function.

import type { Codec } from "../codec.ts";
import { enumerationCodec, enumerationReader } from "../primitives.ts";

export const CompressionCode = { none: 1, gzip: 2 } as const;
export type Compression = keyof typeof CompressionCode;
export const compressionCodec: Codec<Compression> = enumerationCodec(CompressionCode);
/** Name of a compression code; InvalidCommand (3) if unknown. */
export const compressionOf: (code: number) => Compression = enumerationReader(CompressionCode);

export const UserStatusCode = { active: 1, inactive: 2 } as const;
export type UserStatus = keyof typeof UserStatusCode;
export const userStatusCodec: Codec<UserStatus> = enumerationCodec(UserStatusCode);
/** Name of a user status code; InvalidCommand (3) if unknown. */
export const userStatusOf: (code: number) => UserStatus = enumerationReader(UserStatusCode);

export const SnapshotCompressionCode = { stored: 1, deflated: 2, bzip2: 3, zstd: 4, lzma: 5, xz: 6 } as const;
export type SnapshotCompression = keyof typeof SnapshotCompressionCode;
/** Name of a snapshot compression code; InvalidCommand (3) if unknown. */
export const snapshotCompressionOf: (code: number) => SnapshotCompression = enumerationReader(SnapshotCompressionCode);

export const SnapshotTypeCode = {
  filesystemOverview: 1,
  processList: 2,
  resourceUsage: 3,
  test: 4,
  serverLogs: 5,
  serverConfig: 6,
  all: 100,
} as const;
export type SnapshotType = keyof typeof SnapshotTypeCode;
/** Name of a snapshot type code; InvalidCommand (3) if unknown. */
export const snapshotTypeOf: (code: number) => SnapshotType = enumerationReader(SnapshotTypeCode);

/** How a client is connected; TLS counts as its transport without TLS (spec BP 3.16). */
export const TransportCode = { tcp: 1, quic: 2, http: 3, websocket: 4 } as const;
export type Transport = keyof typeof TransportCode;
export const transportCodec: Codec<Transport> = enumerationCodec(TransportCode);

export const NodeRoleCode = { leader: 0, follower: 1 } as const;
export type NodeRole = keyof typeof NodeRoleCode;
export const nodeRoleCodec: Codec<NodeRole> = enumerationCodec(NodeRoleCode);

/** Status 5 exists upstream, but the Rust client refuses it (spec BP 3.20). */
export const NodeStatusCode = { healthy: 0, starting: 1, stopping: 2, unreachable: 3, maintenance: 4 } as const;
export type NodeStatus = keyof typeof NodeStatusCode;
export const nodeStatusCodec: Codec<NodeStatus> = enumerationCodec(NodeStatusCode);
