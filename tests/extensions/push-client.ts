// A connection of raw frames that keeps what is pushed apart from replies, as a client of subscriptions has to.

import { decode, encode } from "../../src/protocol/codec.ts";
import { CommandCode } from "../../src/protocol/codes.ts";
import { errorNameOf } from "../../src/protocol/errors.ts";
import { ExtensionCode, PushCode } from "../../src/protocol/extensions/codes.ts";
import {
  followPartitionsReplyCodec,
  followPartitionsRequestCodec,
} from "../../src/protocol/extensions/follow-partitions.ts";
import {
  type EndPush,
  endPushCodec,
  type MessagesPush,
  messagesPushCodec,
  type PartitionsPush,
  partitionsPushCodec,
} from "../../src/protocol/extensions/pushes.ts";
import {
  addCreditRequestCodec,
  type SubscribeRequest,
  subscribeReplyCodec,
  subscribeRequestCodec,
  unsubscribeRequestCodec,
} from "../../src/protocol/extensions/subscribe.ts";
import { nameId } from "../../src/protocol/identifier.ts";
import { commandCodecs } from "../../src/protocol/registry.ts";
import type { TestServer } from "../support/server.ts";
import { WireClient, type WireOptions } from "../support/wire-client.ts";
import { streamName } from "./support.ts";

export type Push =
  | ({ readonly kind: "messages" } & MessagesPush)
  | ({ readonly kind: "end" } & EndPush)
  | ({ readonly kind: "partitions" } & PartitionsPush);

const text = new TextDecoder();

function pushOf(code: number, payload: Uint8Array): Push | undefined {
  switch (code) {
    case PushCode.messages:
      return { kind: "messages", ...decode(messagesPushCodec, payload) };
    case PushCode.end:
      return { kind: "end", ...decode(endPushCodec, payload) };
    case PushCode.partitions:
      return { kind: "partitions", ...decode(partitionsPushCodec, payload) };
    default:
      return undefined;
  }
}

export type SubscribeOptions = Partial<SubscribeRequest> & { readonly topicName: string };

export class PushClient {
  readonly wire: WireClient;
  readonly #pushes: Push[] = [];

  private constructor(wire: WireClient) {
    this.wire = wire;
  }

  /** Logged in as root; with `isAnonymous` not yet. */
  static async connect(
    server: TestServer,
    transport: "tcp" | "websocket" = "tcp",
    { isAnonymous = false, ...options }: WireOptions & { readonly isAnonymous?: boolean } = {},
  ): Promise<PushClient> {
    const place = { host: server.host, port: server.portOf(transport) };
    const wire = await WireClient.connect(place, "sdk", { ...options, transport });
    if (!isAnonymous) await wire.login();
    return new PushClient(wire);
  }

  /** Payload of the reply; throws with the name of its error. What is pushed before it is kept. */
  async request(code: number, payload: Uint8Array = new Uint8Array(0)): Promise<Uint8Array> {
    this.wire.write(this.wire.frame(code, payload));
    return this.reply();
  }

  async reply(): Promise<Uint8Array> {
    for (;;) {
      const frame = await this.wire.receive();
      if (frame === undefined) throw new Error("the connection ended");
      const push = pushOf(frame.status, frame.payload);
      if (push !== undefined) this.#pushes.push(push);
      else if (frame.status === 0) return frame.payload;
      else throw new Error(errorNameOf(frame.status) ?? `status ${frame.status}`);
    }
  }

  /** What is pushed next; a reply that nobody has asked for fails. */
  async push(): Promise<Push> {
    const known = this.#pushes.shift();
    if (known !== undefined) return known;
    const frame = await this.wire.receive();
    if (frame === undefined) throw new Error("the connection ended");
    const push = pushOf(frame.status, frame.payload);
    if (push === undefined) throw new Error(`a reply with status ${frame.status} that nobody asked for`);
    return push;
  }

  /** Payloads of the next `count` messages of a subscription, in as many pushes as it takes; anything else fails. */
  async texts(subscriptionId: number, count: number): Promise<string[]> {
    const texts: string[] = [];
    while (texts.length < count) {
      const push = await this.push();
      if (push.kind !== "messages" || push.subscriptionId !== subscriptionId) {
        throw new Error(`not what was expected: ${push.kind} of ${push.subscriptionId}`);
      }
      for (const { payload } of push.polled.messages) texts.push(text.decode(payload));
    }
    return texts;
  }

  /** Nothing was pushed up to the reply to a ping. */
  async isQuiet(): Promise<boolean> {
    await this.request(CommandCode.ping);
    return this.#pushes.length === 0;
  }

  /** Current offset of the partition. */
  async subscribe({ topicName, ...changes }: SubscribeOptions): Promise<bigint> {
    const request = {
      consumer: { kind: "consumer", id: nameId("reader") },
      stream: nameId(streamName),
      topic: nameId(topicName),
      partitionId: 0,
      strategy: { kind: "offset", value: 0n },
      count: 0,
      autoCommit: false,
      subscriptionId: 1,
      credit: 1_000_000,
      ...changes,
    } as const;
    const reply = await this.request(ExtensionCode.subscribe, encode(subscribeRequestCodec, request));
    return decode(subscribeReplyCodec, reply).currentOffset;
  }

  async addCredit(credit: number, subscriptionId = 1): Promise<void> {
    await this.request(ExtensionCode.addCredit, encode(addCreditRequestCodec, { subscriptionId, credit }));
  }

  async unsubscribe(subscriptionId = 1): Promise<void> {
    await this.request(ExtensionCode.unsubscribe, encode(unsubscribeRequestCodec, { subscriptionId }));
  }

  async follow(topicName: string, kind: "consumer" | "group", name: string, subscriptionId = 9) {
    const place = { stream: nameId(streamName), topic: nameId(topicName) };
    const request = { subscriptionId, consumer: { kind, id: nameId(name) }, ...place };
    const reply = await this.request(ExtensionCode.followPartitions, encode(followPartitionsRequestCodec, request));
    return decode(followPartitionsReplyCodec, reply);
  }

  async join(topicName: string, group: string): Promise<void> {
    const request = { stream: nameId(streamName), topic: nameId(topicName), group: nameId(group) };
    await this.request(CommandCode.joinConsumerGroup, encode(commandCodecs.joinConsumerGroup.request, request));
  }

  async store(topicName: string, group: string, partitionId: number, offset: number): Promise<void> {
    const place = { stream: nameId(streamName), topic: nameId(topicName), partitionId };
    const request = { consumer: { kind: "group", id: nameId(group) } as const, ...place, offset: BigInt(offset) };
    await this.request(CommandCode.storeConsumerOffset, encode(commandCodecs.storeConsumerOffset.request, request));
  }

  close(): void {
    this.wire.close();
  }
}
