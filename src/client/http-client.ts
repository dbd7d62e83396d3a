// The HTTP API as typed methods: what the bench and the tests of all transports need of it. It needs only
// fetch and `Uint8Array.toBase64`, so it works in recent browsers; TLS options are for runtimes that know them.

import { ByteWriter } from "../protocol/byte-writer.ts";
import { type ErrorName, IggyError } from "../protocol/errors.ts";
import type { Identifier } from "../protocol/identifier.ts";
import { u64Max } from "../protocol/limits.ts";
import type { PolledMessage, PolledMessages } from "../protocol/message/poll-messages.ts";
import type { Partitioning } from "../protocol/partitioning.ts";
import type { ConsumerOffset } from "../protocol/records/consumer-offset.ts";
import { type HeaderKind, HeaderKindCode } from "../protocol/user-headers.ts";
import type { OffsetOptions, PollOptions, SendOptions } from "./client-commands.ts";
import type { ClientTlsOptions } from "./connection.ts";
import { type IdentifierInput, identifierOf } from "./identifiers.ts";
import type { TopicOptions } from "./topic-commands.ts";

export type HttpClientOptions = {
  /** `http://host:port` or `https://host:port`. */
  readonly url: string;
  /** Logged in with, if both are given. */
  readonly username?: string;
  readonly password?: string;
  /** For `https:`, outside of browsers. */
  readonly tls?: ClientTlsOptions;
};

/** An answer that is not a success is an IggyError by then. */
export type HttpReply = { readonly status: number; readonly text: string };

type HeaderFieldJson = { readonly kind: HeaderKind; readonly value: string };
type HeaderJson = { readonly key: HeaderFieldJson; readonly value: HeaderFieldJson };

/** Ids and checksums do not fit a number: as text here. */
type PolledJson = {
  readonly partition_id: number;
  readonly current_offset: number;
  readonly messages: readonly {
    readonly header: Readonly<Record<string, number | string>>;
    readonly payload: string;
    readonly user_headers: string | readonly HeaderJson[];
  }[];
};

const notFoundId = 404;
const failureNames: Readonly<Record<number, ErrorName>> = { 401: "Unauthenticated", 413: "TooBigMessagePayload" };

export class HttpClient {
  readonly #options: HttpClientOptions;
  #token = "";

  private constructor(options: HttpClientOptions) {
    this.#options = options;
  }

  /**
   * Logs in if user name and password are given; without them nothing is sent yet. Rejects with the IggyError of the
   * answer, or CannotEstablishConnection (9).
   */
  static async connect(options: HttpClientOptions): Promise<HttpClient> {
    const client = new HttpClient(options);
    const { username, password } = options;
    if (username !== undefined && password !== undefined) await client.login(username, password);
    return client;
  }

  /** Logs in with a password and resolves with the user's id. */
  login(username: string, password: string): Promise<number> {
    return this.#login("/users/login", { username, password });
  }

  /** Logs in with a personal access token and resolves with the user's id. */
  loginWithToken(token: string): Promise<number> {
    return this.#login("/personal-access-tokens/login", { token });
  }

  /** Any request with a JSON body as text. Rejects with an IggyError; the answer's text is its cause. */
  async request(method: string, path: string, body?: string): Promise<HttpReply> {
    const { url, tls } = this.#options;
    const headers = {
      ...(this.#token === "" ? {} : { authorization: `Bearer ${this.#token}` }),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    };
    let response: Response;
    try {
      const secure = tls === undefined ? {} : { tls: tlsOptionsOf(tls) };
      response = await fetch(`${url}${path}`, { method, headers, ...secure, ...(body === undefined ? {} : { body }) });
    } catch (cause) {
      throw new IggyError("CannotEstablishConnection", [], { cause });
    }
    const text = await response.text();
    if (!response.ok) throw errorOf(response.status, text);
    return { status: response.status, text };
  }

  async ping(): Promise<void> {
    await this.request("GET", "/ping");
  }

  /** The id of the new stream. */
  async createStream(name: string): Promise<number> {
    const { id } = await this.#read("POST", "/streams", { name });
    return Number(id);
  }

  async deleteStream(stream: IdentifierInput): Promise<void> {
    await this.request("DELETE", streamPath(stream));
  }

  /** The id of the new topic. */
  async createTopic(
    stream: IdentifierInput,
    options: TopicOptions & { readonly partitionsCount: number },
  ): Promise<number> {
    const { id } = await this.#read("POST", `${streamPath(stream)}/topics`, {
      name: options.name,
      partitions_count: options.partitionsCount,
      compression_algorithm: options.compression ?? "none",
      message_expiry: options.messageExpiryMicros ?? u64Max,
      max_topic_size: options.maxTopicSizeBytes ?? u64Max,
      replication_factor: options.replicationFactor ?? 1,
    });
    return Number(id);
  }

  /** User headers go as bytes. */
  async sendMessages(options: SendOptions): Promise<void> {
    await this.request("POST", messagesPath(options.stream, options.topic), sendBodyOf(options));
  }

  async pollMessages(options: PollOptions): Promise<PolledMessages> {
    const { text } = await this.request("GET", pollPathOf(options));
    const polled: PolledJson = JSON.parse(text.replace(/:(\d{16,})(?=[,}])/g, ':"$1"'));
    return {
      partitionId: polled.partition_id,
      currentOffset: BigInt(polled.current_offset),
      messages: polled.messages.map(messageOf),
    };
  }

  async storeConsumerOffset(options: OffsetOptions & { readonly offset: bigint }): Promise<void> {
    const { partitionId, offset } = options;
    const consumer_id = singleConsumer(options).value;
    await this.#send("PUT", `${topicPath(options.stream, options.topic)}/consumer-offsets`, {
      consumer_id,
      partition_id: partitionId ?? null,
      offset,
    });
  }

  /** Undefined if none is stored. */
  async getConsumerOffset(options: OffsetOptions): Promise<ConsumerOffset | undefined> {
    const path = `${topicPath(options.stream, options.topic)}/consumer-offsets?${offsetQuery(options)}`;
    try {
      const offset = await this.#read("GET", path);
      return {
        partitionId: Number(offset.partition_id),
        currentOffset: BigInt(Number(offset.current_offset)),
        storedOffset: BigInt(Number(offset.stored_offset)),
      };
    } catch (error) {
      if (error instanceof NotFoundError) return undefined;
      throw error;
    }
  }

  async logout(): Promise<void> {
    await this.request("DELETE", "/users/logout");
    this.#token = "";
  }

  async #login(path: string, credentials: object): Promise<number> {
    const { user_id, access_token } = await this.#read("POST", path, credentials);
    this.#token = tokenOf(access_token);
    return Number(user_id);
  }

  #send(method: string, path: string, body?: object): Promise<HttpReply> {
    return this.request(method, path, body && exactJson(body));
  }

  async #read(method: string, path: string, body?: object): Promise<Readonly<Record<string, unknown>>> {
    const value: unknown = JSON.parse((await this.#send(method, path, body)).text);
    if (typeof value !== "object" || value === null) throw new IggyError("InvalidFormat");
    return { ...value };
  }
}

/** The general "not found": the error table has no number for it. */
class NotFoundError extends IggyError {}

/** Body of a send. */
export function sendBodyOf({
  partitioning = { kind: "balanced" },
  messages,
}: Omit<SendOptions, "stream" | "topic">): string {
  return exactJson({
    partitioning: partitioningJson(partitioning),
    messages: messages.map(({ id, payload, userHeaders }) => ({
      ...(id === undefined ? {} : { id: typeof id === "bigint" ? String(id) : idOf(id) }),
      payload: payload.toBase64(),
      ...(userHeaders === undefined || userHeaders.length === 0 ? {} : { user_headers: userHeaders.toBase64() }),
    })),
  });
}

/** Path and query of a poll. */
export function pollPathOf(options: PollOptions): string {
  const { strategy, count, autoCommit = false } = options;
  const query = `${offsetQuery(options)}&kind=${strategy.kind}&value=${strategy.value}&count=${count}&auto_commit=${autoCommit}`;
  return `${messagesPath(options.stream, options.topic)}?${query}`;
}

function streamPath(stream: IdentifierInput): string {
  return `/streams/${encodeURIComponent(identifierOf(stream).value)}`;
}

function topicPath(stream: IdentifierInput, topic: IdentifierInput): string {
  return `${streamPath(stream)}/topics/${encodeURIComponent(identifierOf(topic).value)}`;
}

function messagesPath(stream: IdentifierInput, topic: IdentifierInput): string {
  return `${topicPath(stream, topic)}/messages`;
}

function offsetQuery({ consumer, partitionId = 0 }: OffsetOptions): string {
  return `consumer_id=${encodeURIComponent(singleConsumer({ consumer }).value)}&partition_id=${partitionId}`;
}

/** HTTP knows no members of groups (spec HA 2.0). */
function singleConsumer({ consumer }: Pick<OffsetOptions, "consumer">): Identifier {
  if (consumer.kind === "group") throw new IggyError("FeatureUnavailable");
  return consumer.id;
}

function partitioningJson(partitioning: Partitioning): { kind: string; value: string } {
  switch (partitioning.kind) {
    case "balanced":
      return { kind: "balanced", value: "" };
    case "key":
      return { kind: "messages_key", value: partitioning.key.toBase64() };
    case "partition": {
      const bytes = new Uint8Array(4);
      new DataView(bytes.buffer).setUint32(0, partitioning.partitionId, true);
      return { kind: "partition_id", value: bytes.toBase64() };
    }
  }
}

/** As decimal text: the bytes on the wire begin with the least significant. */
function idOf(bytes: Uint8Array): string {
  return String(BigInt(`0x${bytes.toReversed().toHex()}`));
}

function messageOf({ header, payload, user_headers }: PolledJson["messages"][number]): PolledMessage {
  const number = (name: string) => BigInt(header[name] ?? 0);
  return {
    checksum: number("checksum"),
    id: number("id"),
    offset: number("offset"),
    timestampMicros: number("timestamp"),
    originTimestampMicros: number("origin_timestamp"),
    reserved: number("reserved"),
    payload: Uint8Array.fromBase64(payload),
    userHeaders: typeof user_headers === "string" ? Uint8Array.fromBase64(user_headers) : encodeHeaders(user_headers),
  };
}

/** From kinds and base64 to the block that the binary protocol carries (spec BP 3.9). */
function encodeHeaders(headers: readonly HeaderJson[]): Uint8Array {
  const writer = new ByteWriter();
  for (const header of headers) {
    for (const { kind, value } of [header.key, header.value]) {
      const bytes = Uint8Array.fromBase64(value);
      writer.u8(HeaderKindCode[kind]);
      writer.u32(bytes.length);
      writer.bytes(bytes);
    }
  }
  return writer.finish();
}

function tokenOf(value: unknown): string {
  if (typeof value === "object" && value !== null && "token" in value) return String(value.token);
  throw new IggyError("InvalidFormat");
}

function tlsOptionsOf({ ca, serverName, verify }: ClientTlsOptions) {
  return {
    rejectUnauthorized: verify ?? true,
    ...(ca === undefined ? {} : { ca }),
    ...(serverName === undefined ? {} : { serverName }),
  };
}

/** JSON in which bigints are numbers with all their digits. */
function exactJson(value: object): string {
  const text = JSON.stringify(value, (_, part: unknown) => (typeof part === "bigint" ? `\u0000${part}` : part));
  return text.replace(/"\\u0000(\d+)"/g, "$1");
}

function errorOf(status: number, text: string): IggyError {
  const cause = new Error(`HTTP status ${status}: ${text}`);
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body === "object" && body !== null && "id" in body && typeof body.id === "number") {
      if (body.id === notFoundId) return new NotFoundError("ResourceNotFound", [], { cause });
      const { errorName } = IggyError.ofCode(body.id);
      return new IggyError(errorName, [], { cause });
    }
  } catch {
    // A text, or nothing: the status says what there is to say.
  }
  return new IggyError(failureNames[status] ?? "InvalidFormat", [], { cause });
}
