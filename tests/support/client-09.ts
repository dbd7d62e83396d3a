// A client of 0.9 for tests: requests as values, replies as values, over frames of the test's own.
import { type Codec, decodeStrict, encode } from "../../src/protocol/codec.ts";
import { CommandCode } from "../../src/protocol/codes.ts";
import type { Identifier } from "../../src/protocol/identifier.ts";
import { identifierCodec } from "../../src/protocol/identifier.ts";
import type { PollingStrategy } from "../../src/protocol/polling-strategy.ts";
import { sendMessagesReplyCodec09 } from "../../src/protocol/v09/batch-record.ts";
import { codecsOf09, type commandCodecs09 } from "../../src/protocol/v09/codecs.ts";
import {
  EvictionHeaderLayout,
  HeaderCommand,
  headerBytes,
  headerCommandOf,
  ReplyHeaderLayout,
} from "../../src/protocol/v09/headers.ts";
import {
  type CommandName09,
  isFramedOperation,
  NewCommandCode,
  operationFor,
} from "../../src/protocol/v09/operations.ts";
import { protocolVersion } from "../../src/protocol/v09/protocol-version.ts";
import { registerReplyCodec } from "../../src/protocol/v09/register.ts";
import { readResultSection } from "../../src/protocol/v09/result-section.ts";
import { requestFrame } from "../protocol/v09/support.ts";
import { buildRecord, parseRecords, type RecordMessage, type StoredMessage } from "../storage/kernel/records.ts";
import { WireClient09 } from "./wire-client-09.ts";

type Codecs = typeof commandCodecs09;
type ValueOf<C> = C extends Codec<infer T> ? T : never;
export type RequestOf09<N extends CommandName09> = ValueOf<Codecs[N]["request"]>;
export type ReplyOf09<N extends CommandName09> = ValueOf<Codecs[N]["reply"]>;

/** An answer that is none: the code of a status or a result section, or the reason of an eviction. */
export class Refused09 extends Error {
  override readonly name = "Refused09";
  readonly code: number;
  readonly isEviction: boolean;

  constructor(code: number, isEviction: boolean) {
    super(isEviction ? `evicted: ${code}` : `refused: ${code}`);
    this.code = code;
    this.isEviction = isEviction;
  }
}

export interface Polled09 {
  readonly partitionId: number;
  readonly currentOffset: bigint;
  readonly messages: readonly StoredMessage[];
}

const pollHeadBytes = 16;

export class Client09 {
  readonly wire: WireClient09;
  #session = 0n;
  #request = 1n;

  private constructor(wire: WireClient09) {
    this.wire = wire;
  }

  static async connect(port: number): Promise<Client09> {
    return new Client09(await WireClient09.connect(port));
  }

  /** Connected and logged in as root. */
  static async login(port: number, username = "iggy", password = "iggy"): Promise<Client09> {
    const client = await Client09.connect(port);
    await client.register(username, password);
    return client;
  }

  async register(username: string, password: string): Promise<void> {
    const text = new TextEncoder();
    const strings = ["test-sdk", "1.0", username, password].map((value) => text.encode(value));
    const version = new Uint8Array(4);
    new DataView(version.buffer).setUint32(0, protocolVersion, true);
    const body = Buffer.concat([
      version,
      ...strings.flatMap((bytes) => [new Uint8Array([bytes.length]), bytes]),
      new Uint8Array(4),
    ]);
    const reply = bodyOf(await this.wire.exchange(requestFrame({ operation: 1, body })));
    const { errorCode, payloadPosition } = readResultSection(reply);
    if (errorCode !== 0) throw new Refused09(errorCode, false);
    this.#session = decodeStrict(registerReplyCodec, reply.subarray(payloadPosition)).session;
    this.#request = 1n;
  }

  /** Undefined: an empty reply. */
  async request<N extends CommandName09>(name: N, value: RequestOf09<N>): Promise<ReplyOf09<N> | undefined> {
    const body = encode(codecsOf09(name).request as Codec<RequestOf09<N>>, value);
    const payload = await this.#exchange(name, body);
    return payload.byteLength === 0 ? undefined : decodeStrict(codecsOf09(name).reply as Codec<ReplyOf09<N>>, payload);
  }

  /** Offset of the first message. */
  async send(
    stream: Identifier,
    topic: Identifier,
    partitionId: number,
    messages: readonly RecordMessage[],
  ): Promise<bigint> {
    return this.sendRecord(stream, topic, partitionId, messages.length, buildRecord(messages));
  }

  async sendRecord(
    stream: Identifier,
    topic: Identifier,
    partitionId: number,
    count: number,
    record: Uint8Array,
  ): Promise<bigint> {
    const payload = await this.#exchange("sendMessages", sendBody09(stream, topic, partitionId, count, record));
    return decodeStrict(sendMessagesReplyCodec09, payload)[0]!.baseOffset;
  }

  async poll(
    stream: Identifier,
    topic: Identifier,
    partitionId: number,
    strategy: PollingStrategy,
    count: number,
  ): Promise<Polled09> {
    const consumer = { kind: "consumer", id: { kind: "numeric", value: 1 } } as const;
    const request = { consumer, stream, topic, partitionId, strategy, count, autoCommit: false };
    return polled09(await this.#exchange("pollMessages", encode(codecsOf09("pollMessages").request, request)));
  }

  close(): void {
    this.wire.close();
  }

  async #exchange(name: CommandName09, body: Uint8Array): Promise<Uint8Array> {
    const operation = operationFor(name);
    const code = operation === 2 ? { ...CommandCode, ...NewCommandCode }[name] : 0;
    const fields = { operation, code, session: this.#session, request: this.#request++, body };
    const frame = await this.wire.exchange(requestFrame(fields));
    const payload = bodyOf(frame);
    if (!isFramedOperation((frame as Uint8Array)[ReplyHeaderLayout.operation]!)) return payload;
    const { errorCode, payloadPosition } = readResultSection(payload);
    if (errorCode !== 0) throw new Refused09(errorCode, false);
    return payload.subarray(payloadPosition);
  }
}

/** Body of a send to one partition. */
export function sendBody09(
  stream: Identifier,
  topic: Identifier,
  partitionId: number,
  count: number,
  record: Uint8Array,
): Uint8Array {
  const metadata = Buffer.concat([encode(identifierCodec, stream), encode(identifierCodec, topic), new Uint8Array(10)]);
  const view = new DataView(metadata.buffer, metadata.byteOffset, metadata.byteLength);
  const end = metadata.byteLength;
  metadata.set([2, 4], end - 10);
  view.setUint32(end - 8, partitionId, true);
  view.setUint32(end - 4, count, true);
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, end, true);
  return Buffer.concat([length, metadata, record]);
}

/** The body of a poll's reply. */
export function polled09(body: Uint8Array): Polled09 {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const messages = parseRecords(body.subarray(pollHeadBytes));
  if (messages.length !== view.getUint32(12, true)) throw new Error("a poll has not the messages that it counts");
  return { partitionId: view.getUint32(0, true), currentOffset: view.getBigUint64(4, true), messages };
}

function bodyOf(frame: Uint8Array | "closed"): Uint8Array {
  if (frame === "closed") throw new Error("the server has closed the connection");
  if (headerCommandOf(frame) === HeaderCommand.eviction) throw new Refused09(frame[EvictionHeaderLayout.reason]!, true);
  const status = new DataView(frame.buffer, frame.byteOffset).getUint32(ReplyHeaderLayout.status, true);
  if (status !== 0) throw new Refused09(status, false);
  return frame.subarray(headerBytes);
}
