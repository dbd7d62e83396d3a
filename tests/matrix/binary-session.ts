// The binary protocol, by the commands of the project's client: over its own connections (TCP and WebSocket, either with
// TLS), and over QUIC with every request on a stream.
import { command } from "../../src/client/commands/command.ts";
import { commandsOver } from "../../src/client/commands/commands-over.ts";
import type { Commands, PollOptions, SendOptions } from "../../src/client/index.ts";
import type { Codec } from "../../src/protocol/codec.ts";
import { CommandCode } from "../../src/protocol/codes.ts";
import { IggyError } from "../../src/protocol/errors.ts";
import { nameId } from "../../src/protocol/identifier.ts";
import type { ConsumerGroupHeader } from "../../src/protocol/records/consumer-group.ts";
import { UserStatusCode } from "../../src/protocol/records/enumerations.ts";
import type { StreamHeader } from "../../src/protocol/records/stream-header.ts";
import type { TopicHeader } from "../../src/protocol/records/topic-header.ts";
import { commandCodecs } from "../../src/protocol/registry.ts";
import { type ClientOptions, connectClient } from "../support/client.ts";
import type { QuicClient, QuicTarget } from "../transport/quic-client.ts";
import { readerFlags } from "./reader.ts";
import type {
  ConnectionCommands,
  Credentials,
  GroupFacts,
  Place,
  Refusal,
  Session,
  StreamFacts,
  TopicFacts,
} from "./session.ts";

class BinarySession implements Session {
  readonly connection: ConnectionCommands;
  readonly #client: Commands;
  readonly #close: () => void;

  constructor(client: Commands, close: () => void) {
    this.#client = client;
    this.#close = close;
    this.connection = {
      me: () => client.getMe(),
      clientIds: async () => (await client.getClients()).map(({ clientId }) => clientId),
      joinGroup: (stream, topic, group) => client.joinConsumerGroup(stream, topic, group),
      leaveGroup: (stream, topic, group) => client.leaveConsumerGroup(stream, topic, group),
    };
  }

  async createStream(name: string) {
    return (await this.#client.createStream(name)).id;
  }

  async getStream(name: string) {
    const stream = await this.#client.getStream(name);
    return stream && streamFacts(stream);
  }

  async getStreams() {
    return (await this.#client.getStreams()).map(streamFacts);
  }

  deleteStream(name: string) {
    return this.#client.deleteStream(name);
  }

  async createTopic(stream: string, name: string, partitionsCount: number) {
    return (await this.#client.createTopic(stream, { name, partitionsCount })).id;
  }

  async getTopic(stream: string, name: string) {
    const topic = await this.#client.getTopic(stream, name);
    return topic && topicFacts(topic);
  }

  async getTopics(stream: string) {
    return (await this.#client.getTopics(stream)).map(topicFacts);
  }

  async createGroup(stream: string, topic: string, name: string) {
    await this.#client.createConsumerGroup(stream, topic, name);
  }

  async getGroup(stream: string, topic: string, name: string) {
    const group = await this.#client.getConsumerGroup(stream, topic, name);
    return group && groupFacts(group);
  }

  async getGroups(stream: string, topic: string) {
    return (await this.#client.getConsumerGroups(stream, topic)).map(groupFacts);
  }

  deleteGroup(stream: string, topic: string, name: string) {
    return this.#client.deleteConsumerGroup(stream, topic, name);
  }

  send(options: SendOptions) {
    return this.#client.sendMessages(options);
  }

  poll(options: PollOptions) {
    return this.#client.pollMessages(options);
  }

  storeOffset(options: Parameters<Commands["storeConsumerOffset"]>[0]) {
    return this.#client.storeConsumerOffset(options);
  }

  getOffset(options: Parameters<Commands["getConsumerOffset"]>[0]) {
    return this.#client.getConsumerOffset(options);
  }

  deleteOffset(options: Parameters<Commands["deleteConsumerOffset"]>[0]) {
    return this.#client.deleteConsumerOffset(options);
  }

  async createReader(username: string, password: string) {
    const permissions = { global: readerFlags, streams: [] };
    const request = { username, password, statusCode: UserStatusCode.active, permissions };
    await this.#run(CommandCode.createUser, commandCodecs.createUser, request);
  }

  async getUsernames() {
    const users = await this.#run(CommandCode.getUsers, commandCodecs.getUsers, undefined);
    return users.map(({ username }) => username);
  }

  async deleteUser(username: string) {
    await this.#run(CommandCode.deleteUser, commandCodecs.deleteUser, { user: nameId(username) });
  }

  async createToken(name: string) {
    const request = { name, expiryMicros: 0n };
    const codecs = commandCodecs.createPersonalAccessToken;
    return (await this.#run(CommandCode.createPersonalAccessToken, codecs, request)).token;
  }

  async getTokenNames() {
    const codecs = commandCodecs.getPersonalAccessTokens;
    const tokens = await this.#run(CommandCode.getPersonalAccessTokens, codecs, undefined);
    return tokens.map(({ name }) => name);
  }

  deleteToken(name: string) {
    const codecs = commandCodecs.deletePersonalAccessToken;
    return this.#run(CommandCode.deletePersonalAccessToken, codecs, { name });
  }

  logout() {
    return this.#client.logout();
  }

  async abandon(poll: PollOptions, send: SendOptions) {
    const requests = [this.#client.pollMessages(poll), this.#client.sendMessages(send)];
    // They leave at the end of the turn; an answer takes at least one more.
    const settled = Promise.allSettled(requests);
    await new Promise((resolve) => setImmediate(resolve));
    this.#close();
    await settled;
  }

  close() {
    this.#close();
  }

  #run<Request, Reply>(
    code: number,
    codecs: { readonly request: Codec<Request>; readonly reply: Codec<Reply> },
    request: Request,
  ): Promise<Reply> {
    return command(this.#client.exchange, code, codecs, request);
  }
}

const streamFacts = ({ name, topicsCount, messagesCount }: StreamHeader): StreamFacts => ({
  name,
  topicsCount,
  messagesCount: Number(messagesCount),
});

const topicFacts = ({ name, partitionsCount, messagesCount }: TopicHeader): TopicFacts => ({
  name,
  partitionsCount,
  messagesCount: Number(messagesCount),
});

const groupFacts = ({ name, partitionsCount, membersCount }: ConsumerGroupHeader): GroupFacts => ({
  name,
  partitionsCount,
  membersCount,
});

/** The commands over one QUIC connection of a client process. */
function quicCommands(quic: QuicClient, name: string): Commands {
  return commandsOver(async (code, payload) => {
    const whole = payload instanceof Uint8Array ? payload : Buffer.concat(payload);
    const reply = await quic.request(name, code, whole);
    if (reply.status !== 0) throw IggyError.ofCode(reply.status);
    return reply.payload;
  });
}

async function loggedIn(client: Commands, close: () => void, credentials: Credentials | undefined): Promise<Session> {
  try {
    if (credentials === undefined) return new BinarySession(client, close);
    if ("token" in credentials) await client.loginWithToken(credentials.token);
    else await client.login(credentials.username, credentials.password);
    return new BinarySession(client, close);
  } catch (error) {
    close();
    throw error;
  }
}

function refusalOf(error: unknown): Refusal {
  if (error instanceof IggyError) return { code: error.code };
  throw error;
}

/** Sessions are connections that stay lost when they are lost. */
export function binaryPlace(name: string, options: ClientOptions): Place {
  return {
    name,
    async open(credentials) {
      const client = await connectClient({ ...options, reconnect: false });
      return loggedIn(client, () => void client.close(), credentials);
    },
    refusalOf,
  };
}

/** Connections of `quic`, which the caller stops. */
export function quicPlace(name: string, quic: QuicClient, target: QuicTarget): Place {
  let lastNumber = 0;
  return {
    name,
    async open(credentials) {
      const connection = `${target.port} ${++lastNumber}`;
      await quic.open(connection, target);
      return loggedIn(quicCommands(quic, connection), () => void quic.close(connection), credentials);
    },
    refusalOf,
  };
}
