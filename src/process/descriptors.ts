// Who may use how many of the file descriptors that the process may have. Each side has its share, so that a flood of
// connections cannot keep partitions from their files, nor many partitions keep clients out.
import { readFileSync } from "node:fs";

export interface DescriptorShares {
  /** Files that one shard keeps open. */
  readonly filesPerShard: number;
  /** Clients of TCP, WebSocket and QUIC, of all shards together. */
  readonly clients: number;
  /** Connections of HTTP. */
  readonly http: number;
  /** Connections to the WebSocket port of one shard whose handshake is not done. */
  readonly handshakesPerShard: number;
}

/** More open files than this help nobody: a file that is needed again opens in microseconds. */
const filesMax = 3072;
const filesPerShardMin = 8;
const clientsMin = 16;
/** Of what is left for connections. */
const shareOfHttp = 1 / 4;
const shareOfHandshakes = 1 / 8;
const httpMin = 8;
const handshakesPerShardMin = 4;
/** The runtime, logs, pipes, listeners, what a sync or a moving connection takes for a moment, HTTP. */
const otherUses = 64;
const otherUsesPerShard = 8;

/** Of this process, which the runtime has raised as far as it may; Infinity where the system does not say. */
export function readDescriptorLimit(): number {
  let text: string;
  try {
    text = readFileSync("/proc/self/limits", "utf8");
  } catch {
    return Number.POSITIVE_INFINITY; // no process file system here
  }
  const soft = /^Max open files\s+(\d+)/m.exec(text)?.[1];
  return soft === undefined ? Number.POSITIVE_INFINITY : Number(soft);
}

/** Half for files, as long as that is of use to them; what is left, without a reserve for everything else, for connections. */
export function shareDescriptors(limit: number, shardCount: number): DescriptorShares {
  const left = limit - otherUses - otherUsesPerShard * shardCount;
  const files = Math.min(filesMax, Math.floor(left / 2));
  const filesPerShard = Math.max(filesPerShardMin, Math.floor(files / shardCount));
  const connections = left - filesPerShard * shardCount;
  const http = Math.max(httpMin, Math.floor(connections * shareOfHttp));
  const handshakesPerShard = Math.max(
    handshakesPerShardMin,
    Math.floor((connections * shareOfHandshakes) / shardCount),
  );
  const others = Number.isFinite(connections) ? http + handshakesPerShard * shardCount : 0;
  const clients = Math.max(clientsMin, connections - others);
  return { filesPerShard, clients, http, handshakesPerShard };
}
