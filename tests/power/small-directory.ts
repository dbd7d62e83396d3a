// A small data directory that the real server wrote: every kind of file, a few messages in each of several segments, a
// snapshot of the metadata with the one before it, and a log behind it.
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import type { Client } from "../../src/client/index.ts";
import { TestServer } from "../support/server.ts";

const segmentBytes = 2048;
const encoder = new TextEncoder();

/** Settings of every server and storage that opens the directory. */
export const smallSettings: Readonly<Record<string, string>> = {
  IGGY_SYSTEM_PARTITION_ACKNOWLEDGE: "sync",
  IGGY_SYSTEM_SEGMENT_SIZE: String(segmentBytes),
  IGGY_SYSTEM_LOGGING_FILE_ENABLED: "false",
  // Makes a certificate.
  IGGY_HTTP_TLS_ENABLED: "true",
  // Access tokens outlive the server, so that a revoked one can be tried after a start.
  IGGY_HTTP_JWT_ENCODING_SECRET: "a secret of the tests alone, for ever the same",
  IGGY_HTTP_JWT_ACCESS_TOKEN_EXPIRY: "30 days",
};

export const smallSegmentBytes = segmentBytes;

/** Text that makes a message about 150 bytes long. */
const filler = "0123456789".repeat(7);

async function send(client: Client, topic: string, partitionId: number, first: number, count: number): Promise<void> {
  await client.sendMessages({
    stream: "stream",
    topic,
    partitioning: { kind: "partition", partitionId },
    messages: Array.from({ length: count }, (_, index) => ({
      payload: encoder.encode(`${topic}/${partitionId}/${first + index}/${filler}`),
    })),
  });
}

async function storeOffsets(client: Client, topic: string, offset: bigint): Promise<void> {
  const place = { stream: "stream", topic, partitionId: 0, offset };
  await client.storeConsumerOffset({ ...place, consumer: { kind: "consumer", id: { kind: "numeric", value: 7 } } });
  await client.joinConsumerGroup("stream", topic, "group");
  await client.storeConsumerOffset({ ...place, consumer: { kind: "group", id: { kind: "string", value: "group" } } });
  await client.leaveConsumerGroup("stream", topic, "group");
}

/** Gives an access token that is no longer accepted; the list of those is a file. */
async function revokeToken(server: TestServer): Promise<string> {
  const url = `https://127.0.0.1:${server.portOf("http")}/users`;
  const options = { method: "POST", tls: { rejectUnauthorized: false } };
  const headers = { "content-type": "application/json" };
  const body = JSON.stringify({ username: "iggy", password: "iggy" });
  const login = await fetch(`${url}/login`, { ...options, headers, body });
  const { access_token: accessToken } = loginSchema(await login.json());
  const authorization = `Bearer ${accessToken.token}`;
  const logout = await fetch(`${url}/logout`, { ...options, method: "DELETE", headers: { authorization } });
  if (!logout.ok) throw new Error(`no logout: ${logout.status} ${await logout.text()}`);
  return accessToken.token;
}

function loginSchema(reply: unknown): { readonly access_token: { readonly token: string } } {
  if (typeof reply !== "object" || reply === null || !("access_token" in reply)) throw new Error("no login");
  const { access_token: accessToken } = reply;
  if (typeof accessToken !== "object" || accessToken === null || !("token" in accessToken)) throw new Error("no token");
  return { access_token: { token: String(accessToken.token) } };
}

export interface SmallDirectory {
  /** Of the data directory, by path, without what a start makes anew. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly revokedToken: string;
}

/** Makes it below `directory`. The server is killed at the end, so that nothing is tidied up. */
export async function makeSmallDirectory(directory: string): Promise<SmallDirectory> {
  const server = await TestServer.start(directory, { env: smallSettings });
  try {
    const first = await server.connect();
    await first.createStream("stream");
    await first.createTopic("stream", { name: "topic", partitionsCount: 2 });
    await first.createConsumerGroup("stream", "topic", "group");
    await first.createUser({ username: "user", password: "password" });
    for (let number = 0; number < 5; number++) await send(first, "topic", 0, number * 6, 6);
    await send(first, "topic", 1, 0, 3);
    await storeOffsets(first, "topic", 20n);
    first.close();
    const revokedToken = await revokeToken(server);
    // Each start makes a snapshot of what it replays.
    await server.restart();
    const second = await server.connect();
    await second.createTopic("stream", { name: "other", partitionsCount: 1 });
    await second.createPersonalAccessToken("token", 0n);
    await send(second, "other", 0, 0, 4);
    await send(second, "topic", 0, 30, 4);
    second.close();
    await server.restart();
    const third = await server.connect();
    await third.createStream("second");
    await third.createConsumerGroup("stream", "other", "group");
    await storeOffsets(third, "other", 2n);
    for (let number = 0; number < 4; number++) await send(third, "topic", 1, 3 + number, 1);
    third.close();
    await server.kill();
    return { files: readFiles(server.dataPath), revokedToken };
  } finally {
    if (!server.hasEnded) await server.kill();
  }
}

function readFiles(directory: string): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  for (const item of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    if (!item.isFile()) continue;
    const path = relative(directory, join(item.parentPath, item.name));
    if (!path.startsWith("runtime/")) files.set(path, new Uint8Array(readFileSync(join(directory, path))));
  }
  return files;
}
