// A server with something secret in every place where there can be something, and the search for it on the disk.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { type Client, headerString, userHeadersCodec } from "../../src/client/index.ts";
import { encode } from "../../src/protocol/codec.ts";
import { nameId } from "../../src/protocol/identifier.ts";
import type { ServerOptions } from "../support/server.ts";

const utf8 = new TextEncoder();
const keyBytes = 32;

/** Base64 of 32 equal bytes. */
export function keyOf(byte: number): string {
  return Buffer.alloc(keyBytes, byte).toString("base64");
}

export function encryptedWith(key: string): NonNullable<ServerOptions["env"]> {
  return { IGGY_SYSTEM_ENCRYPTION_ENABLED: "true", IGGY_SYSTEM_ENCRYPTION_KEY: key };
}

export const unencrypted: NonNullable<ServerOptions["env"]> = {
  IGGY_SYSTEM_ENCRYPTION_ENABLED: "false",
  IGGY_SYSTEM_ENCRYPTION_KEY: "",
};

/** Texts that occur nowhere but where a test puts them. */
export const names = {
  stream: "zebra-stream",
  topic: "zebra-topic",
  group: "zebra-group",
  username: "zebra-user",
  tokenName: "zebra-token",
} as const;
export const contents = {
  payload: "zebra-payload",
  headerKey: "zebra-header-key",
  headerValue: "zebra-header-value",
} as const;
export const password = "zebra-password";
export const secondPassword = "zebra-second-password";
export const rootPassword = "zebra-root-password";

const userHeaders = encode(userHeadersCodec, [
  { key: headerString(contents.headerKey), value: headerString(contents.headerValue) },
]);
export const messagesCount = 20;

/** Creates all of it; returns the personal access token of the user. */
export async function fill(root: Client, connectAs: (username: string) => Promise<Client>): Promise<string> {
  await root.createStream(names.stream);
  await root.createTopic(names.stream, { name: names.topic, partitionsCount: 2 });
  await root.createConsumerGroup(names.stream, names.topic, names.group);
  await root.createUser({ username: names.username, password });
  await root.changePassword(names.username, password, secondPassword);
  const user = await connectAs(names.username);
  const token = await user.createPersonalAccessToken(names.tokenName, 0n);
  await user.close();
  for (const partitionId of [0, 1]) await send(root, partitionId);
  return token;
}

/** A batch of `messagesCount`, each payload with its number; every second one with user headers. */
export function send(client: Client, partitionId: number): Promise<void> {
  const messages = Array.from({ length: messagesCount }, (_, index) => ({
    payload: utf8.encode(`${contents.payload}-${index}`),
    ...(index % 2 === 0 ? { userHeaders } : {}),
  }));
  const partitioning = { kind: "partition", partitionId } as const;
  return client.sendMessages({ stream: names.stream, topic: names.topic, partitioning, messages });
}

export interface ReadMessage {
  readonly offset: number;
  readonly payload: string;
  readonly hasHeaders: boolean;
}

export async function read(client: Client, partitionId: number): Promise<ReadMessage[]> {
  const { messages } = await client.pollMessages({
    consumer: { kind: "consumer", id: nameId("reader") },
    stream: names.stream,
    topic: names.topic,
    partitionId,
    strategy: { kind: "first", value: 0n },
    count: 1000,
  });
  return messages.map((message) => {
    const hasHeaders = Buffer.from(message.userHeaders).equals(userHeaders);
    if (!hasHeaders && message.userHeaders.byteLength > 0) throw new Error("user headers are not as sent");
    return { offset: Number(message.offset), payload: new TextDecoder().decode(message.payload), hasHeaders };
  });
}

/** What `read` gives of one batch of `send` that starts at `firstOffset`. */
export function batchFrom(firstOffset: number): ReadMessage[] {
  return Array.from({ length: messagesCount }, (_, index) => ({
    offset: firstOffset + index,
    payload: `${contents.payload}-${index}`,
    hasHeaders: index % 2 === 0,
  }));
}

/** Every file below `directory`, by its path from there. */
function filesBelow(directory: string): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile()) files.set(relative(directory, path), readFileSync(path));
  }
  return files;
}

/** `path: text` for each text that a file below `directory` holds, as it is, in hex or in base64. */
export function findInFiles(directory: string, texts: readonly string[]): string[] {
  const found: string[] = [];
  for (const [path, bytes] of filesBelow(directory)) {
    for (const text of texts) {
      const forms = [text, Buffer.from(text).toString("hex"), Buffer.from(text).toString("base64").replace(/=+$/, "")];
      if (forms.some((form) => bytes.includes(form)) || path.includes(text)) found.push(`${path}: ${text}`);
    }
  }
  return found;
}

/** Digest of every file that is data: logs, the configuration of the process and its lock are of each start. */
export function dataDigests(directory: string): Record<string, string> {
  const isData = (path: string) => !/^(logs|runtime)\/|^whippet\.lock$/.test(path);
  const files = [...filesBelow(directory)].filter(([path]) => isData(path)).toSorted();
  return Object.fromEntries(files.map(([path, bytes]) => [path, createHash("sha256").update(bytes).digest("hex")]));
}
