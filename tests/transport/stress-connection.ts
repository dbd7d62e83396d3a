// A TCP connection for stress tests: every pipelined request knows what its reply must be, and the connection can end in all
// the ways in which connections end.
import { connect, type Socket } from "node:net";
import { ReplyAssembler } from "../../src/client/connection/reply-assembler.ts";
import { decodeStrict, encode } from "../../src/protocol/codec.ts";
import { CommandCode } from "../../src/protocol/codes.ts";
import { encodeRequestFrame } from "../../src/protocol/frame.ts";
import { nameId } from "../../src/protocol/identifier.ts";
import { decodePolledMessages } from "../../src/protocol/message/poll-messages.ts";
import { encodeSendMessages } from "../../src/protocol/message/send-messages.ts";
import type { ClientDetails } from "../../src/protocol/records/client-header.ts";
import { commandCodecs } from "../../src/protocol/registry.ts";

export interface StressRequest {
  readonly frame: Uint8Array;
  /** Throws unless this is the reply to this request. */
  readonly check: (payload: Uint8Array) => void;
}

const exchangeTimeoutMs = 120_000;
const stream = nameId("orders");
const topic = nameId("eu");
const encoder = new TextEncoder();

function must(isTrue: boolean, what: string): void {
  if (!isTrue) throw new Error(`wrong reply: ${what}`);
}

export class StressConnection {
  readonly address: string;
  readonly #socket: Socket;
  readonly #consumer;
  readonly #expected: StressRequest[] = [];
  readonly #ended = Promise.withResolvers<void>();
  #idle: PromiseWithResolvers<void> | undefined;
  #failure: unknown;
  #isLeaving = false;

  private constructor(socket: Socket, name: string) {
    this.#socket = socket;
    this.address = `${socket.localAddress}:${socket.localPort}`;
    this.#consumer = { kind: "consumer", id: nameId(`c${name}`) } as const;
    const assembler = new ReplyAssembler((status, payload) => this.#reply(status, payload));
    socket.on("data", (bytes: Uint8Array) => assembler.push(bytes));
    socket.on("error", (error) => this.#end(error));
    socket.on("close", () => this.#end(new Error("the server ended the connection")));
  }

  /** Connected and logged in. */
  static async open({ host, port }: { host: string; port: number }, name: string): Promise<StressConnection> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const socket = connect({ host, port, noDelay: true, allowHalfOpen: true }, resolve);
    socket.once("error", reject);
    await promise;
    const connection = new StressConnection(socket, name);
    const credentials = { username: "iggy", password: "iggy", version: undefined, context: undefined };
    const payload = encode(commandCodecs.loginUser.request, credentials);
    await connection.exchange([request(CommandCode.loginUser, payload, (reply) => must(reply.length > 0, "login"))]);
    return connection;
  }

  /** All in one write; resolves when every reply is there and right. */
  async exchange(requests: readonly StressRequest[]): Promise<void> {
    const idle = Promise.withResolvers<void>();
    this.#idle = idle;
    this.#write(requests);
    const timer = setTimeout(
      () => idle.reject(new Error(`${this.#expected.length} replies missing`)),
      exchangeTimeoutMs,
    );
    try {
      await idle.promise;
    } finally {
      clearTimeout(timer);
    }
  }

  send(partitionId: number, texts: readonly string[], paddingBytes: number, done: () => void): StressRequest {
    const messages = texts.map((text) => ({ payload: encoder.encode(text + "\0".repeat(paddingBytes)) }));
    const partitioning = { kind: "partition", partitionId } as const;
    const payload = encodeSendMessages({ stream, topic, partitioning, messages });
    return request(CommandCode.sendMessages, payload, (reply) => {
      must(reply.length === 0, "to a send");
      done();
    });
  }

  /** `offset`: of a message that is there. */
  poll(partitionId: number, offset: number, count: number): StressRequest {
    const strategy = { kind: "offset", value: BigInt(offset) } as const;
    const fields = { consumer: this.#consumer, stream, topic, partitionId, strategy, count, autoCommit: false };
    return request(CommandCode.pollMessages, encode(commandCodecs.pollMessages.request, fields), (reply) => {
      const polled = decodePolledMessages(reply);
      must(polled.partitionId === partitionId, `partition ${polled.partitionId} for ${partitionId}`);
      must(polled.messages.length > 0 && polled.messages.length <= count, `${polled.messages.length} of ${count}`);
      must(polled.messages[0]?.offset === BigInt(offset), `not from offset ${offset}`);
    });
  }

  storeOffset(partitionId: number, offset: number): StressRequest {
    const fields = { consumer: this.#consumer, stream, topic, partitionId, offset: BigInt(offset) };
    const payload = encode(commandCodecs.storeConsumerOffset.request, fields);
    return request(CommandCode.storeConsumerOffset, payload, (reply) => must(reply.length === 0, "to a stored offset"));
  }

  /** `stored`: what this connection stored last. */
  readOffset(partitionId: number, stored: number | undefined): StressRequest {
    const fields = { consumer: this.#consumer, stream, topic, partitionId };
    const payload = encode(commandCodecs.getConsumerOffset.request, fields);
    return request(CommandCode.getConsumerOffset, payload, (reply) => {
      if (stored === undefined) return must(reply.length === 0, "an offset that nobody stored");
      const found = decodeStrict(commandCodecs.getConsumerOffset.reply, reply);
      must(found?.partitionId === partitionId && found.storedOffset === BigInt(stored), `not the offset ${stored}`);
    });
  }

  me(clientId: number): StressRequest {
    return request(CommandCode.getMe, new Uint8Array(0), (reply) => {
      const me = decodeStrict(commandCodecs.getMe.reply, reply);
      must(me.clientId === clientId && me.userId === 0, `client ${me.clientId} for ${clientId}`);
    });
  }

  async identity(): Promise<ClientDetails> {
    let me: ClientDetails | undefined;
    const keep = (reply: Uint8Array) => {
      me = decodeStrict(commandCodecs.getMe.reply, reply);
    };
    await this.exchange([request(CommandCode.getMe, new Uint8Array(0), keep)]);
    return me!;
  }

  async joinGroup(name: string): Promise<void> {
    const payload = encode(commandCodecs.joinConsumerGroup.request, { stream, topic, group: nameId(name) });
    await this.exchange([request(CommandCode.joinConsumerGroup, payload, () => undefined)]);
  }

  destroy(): void {
    this.#isLeaving = true;
    this.#socket.destroy();
  }

  /** Sends and ends this side; resolves when the server has ended its own. What is answered must still be right. */
  async halfClose(requests: readonly StressRequest[]): Promise<void> {
    this.#isLeaving = true;
    this.#write(requests);
    this.#socket.once("end", () => this.#socket.destroy());
    this.#socket.end();
    const timer = setTimeout(() => this.#socket.destroy(new Error("no end")), exchangeTimeoutMs);
    await this.#ended.promise;
    clearTimeout(timer);
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Sends and cuts the connection with a reset. */
  reset(requests: readonly StressRequest[]): void {
    this.#isLeaving = true;
    this.#write(requests);
    this.#socket.resetAndDestroy();
  }

  /** Sends all but the end of the last frame and leaves. */
  stopInsideFrame(requests: readonly StressRequest[], random: (limit: number) => number): void {
    this.#isLeaving = true;
    const bytes = Buffer.concat(requests.map(({ frame }) => frame));
    this.#expected.push(...requests);
    const lastBytes = requests.at(-1)!.frame.byteLength;
    this.#socket.write(bytes.subarray(0, bytes.byteLength - 1 - random(lastBytes - 1)));
    setTimeout(() => this.#socket.destroy(), random(5));
  }

  #write(requests: readonly StressRequest[]): void {
    this.#expected.push(...requests);
    this.#socket.write(Buffer.concat(requests.map(({ frame }) => frame)));
  }

  #reply(status: number, payload: Uint8Array): void {
    try {
      const expected = this.#expected.shift();
      if (expected === undefined) throw new Error("a reply to nothing");
      must(status === 0, `status ${status}`);
      expected.check(payload);
      if (this.#expected.length === 0) this.#idle?.resolve();
    } catch (error) {
      this.#failure = error;
      this.#idle?.reject(error);
      this.#socket.destroy();
    }
  }

  #end(error: unknown): void {
    if (!this.#isLeaving) this.#idle?.reject(error);
    this.#ended.resolve();
  }
}

function request(code: number, payload: Uint8Array, check: (payload: Uint8Array) => void): StressRequest {
  return { frame: encodeRequestFrame(code, payload, "sdk"), check };
}
