// The HTTP API. Messages and offsets go through the project's client, which logs in with a password; the other
// requests are made here, since the status and the body of an error are part of what is compared (spec HA 3).
import { jsonText } from "../../src/client/http/json.ts";
import { routes } from "../../src/client/http/routes.ts";
import {
  type Client,
  type ClientTlsOptions,
  connect,
  identifierOf,
  type OffsetOptions,
  type PollOptions,
  type SendOptions,
} from "../../src/client/index.bun.ts";
import { IggyError } from "../../src/protocol/errors.ts";
import { readerFlags } from "./reader.ts";
import type { GroupFacts, Place, Refusal, Session, StreamFacts, TopicFacts } from "./session.ts";

type Origin = { readonly url: string; readonly tls?: ClientTlsOptions };
type Json = Readonly<Record<string, unknown>>;

/** Id in the body of the general "not found". */
const notFoundId = 404;
/** A group that is missing is named as such (spec HA 2.8). */
const groupNotFoundId = 5000;

class HttpRefusal extends Error {
  readonly refusal: Refusal;

  constructor(status: number, text: string) {
    super(`HTTP status ${status}: ${text}`);
    this.refusal = { code: text === "" ? undefined : Number((JSON.parse(text) as Json).id), status };
  }
}

/** What fetch is to trust. */
function tlsOf({ tls }: Origin) {
  return tls?.ca === undefined ? {} : { tls: { ca: tls.ca } };
}

async function request(origin: Origin, jwt: string, method: string, path: string, body?: object): Promise<string> {
  const response = await fetch(`${origin.url}${path}`, {
    method,
    headers: { ...(jwt === "" ? {} : { authorization: `Bearer ${jwt}` }), "content-type": "application/json" },
    ...tlsOf(origin),
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new HttpRefusal(response.status, text);
  return text;
}

class HttpSession implements Session {
  readonly connection = undefined;
  readonly #origin: Origin;
  readonly #jwt: string;
  readonly #client: Client | undefined;

  constructor(origin: Origin, jwt: string, client: Client | undefined) {
    this.#origin = origin;
    this.#jwt = jwt;
    this.#client = client;
  }

  async createStream(name: string) {
    return Number((await this.#read<Json>("POST", "/streams", { name })).id);
  }

  async getStream(name: string) {
    const stream = await this.#find(streamPath(name));
    return stream && streamFacts(stream);
  }

  async getStreams() {
    return (await this.#read<Json[]>("GET", "/streams")).map(streamFacts);
  }

  async deleteStream(name: string) {
    await this.#request("DELETE", streamPath(name));
  }

  async createTopic(stream: string, name: string, partitionsCount: number) {
    const options = { compression_algorithm: "none", message_expiry: 0, max_topic_size: 0 };
    const body = { name, partitions_count: partitionsCount, ...options };
    return Number((await this.#read<Json>("POST", `${streamPath(stream)}/topics`, body)).id);
  }

  async getTopic(stream: string, name: string) {
    const topic = await this.#find(topicPath(stream, name));
    return topic && topicFacts(topic);
  }

  async getTopics(stream: string) {
    return (await this.#read<Json[]>("GET", `${streamPath(stream)}/topics`)).map(topicFacts);
  }

  async createGroup(stream: string, topic: string, name: string) {
    await this.#request("POST", `${topicPath(stream, topic)}/consumer-groups`, { name });
  }

  async getGroup(stream: string, topic: string, name: string) {
    const group = await this.#find(groupPath(stream, topic, name), groupNotFoundId);
    return group && groupFacts(group);
  }

  async getGroups(stream: string, topic: string) {
    return (await this.#read<Json[]>("GET", `${topicPath(stream, topic)}/consumer-groups`)).map(groupFacts);
  }

  async deleteGroup(stream: string, topic: string, name: string) {
    await this.#request("DELETE", groupPath(stream, topic, name));
  }

  send(options: SendOptions) {
    return this.#messages.sendMessages(options);
  }

  poll(options: PollOptions) {
    return this.#messages.pollMessages(options);
  }

  storeOffset(options: OffsetOptions & { readonly offset: bigint }) {
    return this.#messages.storeConsumerOffset(options);
  }

  getOffset(options: OffsetOptions) {
    return this.#messages.getConsumerOffset(options);
  }

  async deleteOffset({ stream, topic, consumer, partitionId = 0 }: OffsetOptions) {
    const place = topicPath(identifierOf(stream).value, identifierOf(topic).value);
    await this.#request("DELETE", `${place}/consumer-offsets/${consumer.id.value}?partition_id=${partitionId}`);
  }

  async createReader(username: string, password: string) {
    const snakeCase = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    const global = Object.fromEntries(Object.entries(readerFlags).map(([name, flag]) => [snakeCase(name), flag]));
    await this.#request("POST", "/users", { username, password, status: "active", permissions: { global } });
  }

  async getUsernames() {
    return (await this.#read<Json[]>("GET", "/users")).map((user) => String(user.username));
  }

  async deleteUser(username: string) {
    await this.#request("DELETE", `/users/${username}`);
  }

  async createToken(name: string) {
    return String((await this.#read<Json>("POST", "/personal-access-tokens", { name, expiry: 0 })).token);
  }

  async getTokenNames() {
    return (await this.#read<Json[]>("GET", "/personal-access-tokens")).map((token) => String(token.name));
  }

  async deleteToken(name: string) {
    await this.#request("DELETE", `/personal-access-tokens/${name}`);
  }

  async logout() {
    await this.#request("DELETE", "/users/logout");
  }

  async abandon(poll: PollOptions, send: SendOptions) {
    const { stream, topic } = send;
    const place = { stream: identifierOf(stream), topic: identifierOf(topic) };
    const { partitioning = { kind: "balanced" }, messages } = send;
    const polled = routes.pollMessages.request({ autoCommit: false, partitionId: undefined, ...poll, ...place });
    const sent = routes.sendMessages.request({ ...place, partitioning, messages });
    const going = new AbortController();
    const common = {
      headers: { authorization: `Bearer ${this.#jwt}`, "content-type": "application/json" },
      signal: going.signal,
      ...tlsOf(this.#origin),
    };
    const settled = Promise.allSettled([
      fetch(`${this.#origin.url}${polled.path}`, common),
      fetch(`${this.#origin.url}${sent.path}`, { ...common, method: "POST", body: jsonText(sent.body ?? {}) }),
    ]);
    await Bun.sleep(15); // nobody sees when a request has left; over TLS not before 10 ms
    going.abort();
    await settled;
  }

  close() {
    void this.#client?.close();
  }

  get #messages(): Client {
    if (this.#client === undefined) throw new Error("only a session with a password sends and polls");
    return this.#client;
  }

  #request(method: string, path: string, body?: object): Promise<string> {
    return request(this.#origin, this.#jwt, method, path, body);
  }

  async #read<Body>(method: string, path: string, body?: object): Promise<Body> {
    return JSON.parse(await this.#request(method, path, body)) as Body;
  }

  async #find(path: string, missingId = notFoundId): Promise<Json | undefined> {
    try {
      return await this.#read<Json>("GET", path);
    } catch (error) {
      if (error instanceof HttpRefusal && error.refusal.code === missingId) return undefined;
      throw error;
    }
  }
}

const streamPath = (stream: string | number) => `/streams/${encodeURIComponent(stream)}`;
const topicPath = (stream: string | number, topic: string | number) =>
  `${streamPath(stream)}/topics/${encodeURIComponent(topic)}`;
const groupPath = (stream: string, topic: string, group: string) =>
  `${topicPath(stream, topic)}/consumer-groups/${encodeURIComponent(group)}`;

const streamFacts = (stream: Json): StreamFacts => ({
  name: String(stream.name),
  topicsCount: Number(stream.topics_count),
  messagesCount: Number(stream.messages_count),
});

const topicFacts = (topic: Json): TopicFacts => ({
  name: String(topic.name),
  partitionsCount: Number(topic.partitions_count),
  messagesCount: Number(topic.messages_count),
});

const groupFacts = (group: Json): GroupFacts => ({
  name: String(group.name),
  partitionsCount: Number(group.partitions_count),
  membersCount: Number(group.members_count),
});

async function login(origin: Origin, path: string, body: object): Promise<string> {
  const identity = JSON.parse(await request(origin, "", "POST", path, body)) as {
    readonly access_token: { readonly token: string };
  };
  return identity.access_token.token;
}

/** The client's errors keep the answer as their cause. */
const answerPattern = /^HTTP status (\d+): (.*)$/s;

export function httpPlace(name: string, origin: Origin): Place {
  return {
    name,
    async open(credentials) {
      if (credentials === undefined) return new HttpSession(origin, "", undefined);
      if ("token" in credentials) {
        return new HttpSession(origin, await login(origin, "/personal-access-tokens/login", credentials), undefined);
      }
      const jwt = await login(origin, "/users/login", credentials);
      return new HttpSession(
        origin,
        jwt,
        await connect(origin.url, { credentials, ...(origin.tls === undefined ? {} : { tls: origin.tls }) }),
      );
    },
    refusalOf(error) {
      if (error instanceof HttpRefusal) return error.refusal;
      const answer = error instanceof IggyError && error.cause instanceof Error ? error.cause.message : "";
      const [, status, text] = answerPattern.exec(answer) ?? [];
      if (status === undefined || text === undefined) throw error;
      return new HttpRefusal(Number(status), text).refusal;
    },
  };
}
