// One bit of one file is wrong, and the real server starts: files that metadata and storage do not read are included.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Client } from "../../src/client/index.ts";
import { TestServer } from "../support/server.ts";
import type { Flip } from "./bit-flips.ts";
import { type SmallDirectory, smallSettings } from "./small-directory.ts";

/** A payload for each offset of each partition, by names, and who is there. */
type Content = ReadonlyMap<string, string>;

const decoder = new TextDecoder();

export class ServerFlips {
  readonly #directory: SmallDirectory;
  readonly #right: Content;
  readonly #program: string | undefined;

  private constructor(directory: SmallDirectory, right: Content, program: string | undefined) {
    this.#directory = directory;
    this.#right = right;
    this.#program = program;
  }

  /** `program`: the executable; from source if not given. */
  static async of(directory: SmallDirectory, program?: string): Promise<ServerFlips> {
    const { content } = await startOn(directory, program);
    return new ServerFlips(directory, content, program);
  }

  /** Every bit of every file. */
  all(): Flip[] {
    return [...this.#directory.files].flatMap(([path, bytes]) =>
      Array.from({ length: bytes.byteLength * 8 }, (_, bit) => ({ path, bit })),
    );
  }

  /** What is wrong; nothing if all is as it may be. `log`: what the server said. */
  async check({ path, bit }: Flip): Promise<{ readonly failures: readonly string[]; readonly log: string }> {
    const { files, revokedToken } = this.#directory;
    const bytes = files.get(path)!.slice();
    bytes[bit >> 3]! ^= 1 << (bit & 7);
    try {
      const { content, log } = await startOn(
        { files: new Map([...files, [path, bytes]]), revokedToken },
        this.#program,
      );
      const failures = [...content].flatMap(([name, text]) =>
        this.#right.get(name) === text ? [] : [`${name} is ${text} instead of ${this.#right.get(name)}`],
      );
      const lost = [...this.#right.keys()].filter((name) => !content.has(name));
      const mayLose = /^streams\/.*\.log$/.test(path) ? 1 : 0;
      if (lost.length > mayLose) failures.push(`lost: ${lost.join(", ")}`);
      const needsLine = lost.length > 0 || path === "state/tokens";
      if (needsLine && !/ (WARN|ERROR) /.test(log)) failures.push("no line says what was found");
      return { failures, log };
    } catch (error) {
      return { failures: [`does not start, or serves what it should not: ${error}`], log: "" };
    }
  }
}

async function startOn(
  { files, revokedToken }: SmallDirectory,
  program: string | undefined,
): Promise<{ readonly content: Content; readonly log: string }> {
  const directory = mkdtempSync(join(tmpdir(), "whippet-flip-"));
  for (const [path, bytes] of files) {
    const full = join(directory, "data", path);
    mkdirSync(dirname(full), { recursive: true });
    writeFileSync(full, bytes, { mode: 0o600 });
  }
  const executable = program === undefined ? {} : { program };
  let server: TestServer | undefined;
  try {
    server = await TestServer.start(directory, { env: smallSettings, ...executable });
    const http = `https://127.0.0.1:${server.portOf("http")}`;
    const tls = { rejectUnauthorized: false };
    const ping = await fetch(`${http}/ping`, { tls });
    if (!ping.ok) throw new Error(`HTTPS answers ${ping.status}`);
    const refused = await fetch(`${http}/streams`, { tls, headers: { authorization: `Bearer ${revokedToken}` } });
    if (refused.status !== 401) throw new Error(`a revoked access token is answered ${refused.status}`);
    const client = await server.connect();
    const content = await readAll(client);
    client.close();
    return { content, log: server.log };
  } finally {
    if (server !== undefined && !server.hasEnded) await server.kill();
    rmSync(directory, { recursive: true, force: true });
  }
}

async function readAll(client: Client): Promise<Content> {
  const content = new Map<string, string>();
  for (const { username } of await client.getUsers()) content.set(`user ${username}`, "");
  for (const { name } of await client.getPersonalAccessTokens()) content.set(`token ${name}`, "");
  for (const { name: stream } of await client.getStreams()) {
    content.set(`stream ${stream}`, "");
    for (const { name: topic, partitionsCount } of await client.getTopics(stream)) {
      content.set(`topic ${stream}/${topic}`, String(partitionsCount));
      for (const group of await client.getConsumerGroups(stream, topic)) {
        content.set(`group ${stream}/${topic}/${group.name}`, "");
      }
      for (let partitionId = 0; partitionId < partitionsCount; partitionId++) {
        await readPartition(client, { stream, topic, partitionId }, content);
      }
    }
  }
  return content;
}

async function readPartition(
  client: Client,
  place: { readonly stream: string; readonly topic: string; readonly partitionId: number },
  content: Map<string, string>,
): Promise<void> {
  for (let next = 0n; ; ) {
    const { messages } = await client.pollMessages({
      ...place,
      consumer: { kind: "consumer", id: { kind: "numeric", value: 1 } },
      strategy: { kind: "offset", value: next },
      count: 10,
    });
    if (messages.length === 0) return;
    for (const { offset, payload } of messages) {
      content.set(`${place.stream}/${place.topic}/${place.partitionId}/${offset}`, decoder.decode(payload));
      next = offset + 1n;
    }
  }
}
