// The answer to get cluster metadata (spec SB 10): one node that names itself the leader, or the configured static cluster.
import { parseListenAddress } from "../config/address.ts";
import type { Config } from "../config/schema/index.ts";
import type { ClusterMetadata, ClusterNode } from "../protocol/records/cluster-metadata.ts";
import type { BoundPorts } from "../shard/index.ts";

export function makeClusterMetadata(config: Config, bound: BoundPorts, isFollower: boolean): ClusterMetadata {
  const ports = {
    tcpPort: bound.tcp,
    quicPort: bound.quic,
    httpPort: bound.http,
    websocketPort: bound.websocket,
  };
  if (!config.cluster.enabled) {
    const ip = parseListenAddress(config.tcp.address)?.host ?? "127.0.0.1";
    return { name: "single-node", nodes: [{ name: "iggy-node", ip, ...ports, role: "leader", status: "healthy" }] };
  }
  const { current, others } = config.cluster.node;
  const own: ClusterNode = {
    name: current.name,
    ip: current.ip,
    ...ports,
    role: isFollower ? "follower" : "leader",
    status: "healthy",
  };
  const rest = others.map(
    (node): ClusterNode => ({
      name: node.name,
      ip: node.ip,
      tcpPort: node.ports.tcp ?? portOf(config.tcp.address),
      quicPort: node.ports.quic ?? ports.quicPort,
      httpPort: node.ports.http ?? ports.httpPort,
      websocketPort: node.ports.websocket ?? ports.websocketPort,
      role: isFollower ? "leader" : "follower",
      status: "healthy",
    }),
  );
  return { name: config.cluster.name, nodes: [own, ...rest] };
}

function portOf(address: string): number {
  return parseListenAddress(address)?.port ?? 0;
}
