// A topic by handle: nothing is sent until something is asked of it.

import { decode } from "../../protocol/codec.ts";
import { CommandCode } from "../../protocol/codes.ts";
import { IggyError } from "../../protocol/errors.ts";
import { ExtensionCode } from "../../protocol/extensions/codes.ts";
import { sendWithReceiptReplyCodec } from "../../protocol/extensions/send-with-receipt.ts";
import type { Partitioning } from "../../protocol/partitioning.ts";
import type { TopicDetails } from "../../protocol/records/topic-details.ts";
import { naming } from "../commands/naming.ts";
import type { Session } from "../connection/session.ts";
import type { Consumer } from "../consumer/consumer.ts";
import { consumerOf, readerOf } from "../consumer/load-engines.ts";
import type { ConsumerOptions, ReaderOptions } from "../consumer/options.ts";
import type { Reader } from "../consumer/reader.ts";
import { observed } from "../observe/instrumentation.ts";
import type { Abortable, CloseOptions } from "../options.ts";
import { BatchBuffer } from "../producer/batch-buffer.ts";
import type { ProducerOptions } from "../producer/options.ts";
import { checkNumbers, checkSizes, headersOf, keyBytesOf, partitionOfKey } from "../producer/outgoing.ts";
import { Producer } from "../producer/producer.ts";
import { sendHead } from "../producer/request-head.ts";
import type { TopicSettings } from "./ensure-topic.ts";
import type { OutgoingMessage, SendReceipt } from "./message.ts";
import type { TopicContext } from "./topic-context.ts";

/** What a client closes before its own connection. */
export type Closeable = { close(options?: CloseOptions): Promise<void> };

/** What a handle needs of its client. */
export type TopicHost = {
  readonly session: Session;
  /** Notes what is to be closed with the client, and gives what forgets it. TypeError when the client is closed. */
  readonly hold: (kind: "producer" | "consumer", held: Closeable) => () => void;
};

type Encoded = {
  readonly message: OutgoingMessage<unknown>;
  readonly key: Uint8Array | undefined;
  readonly payload: Uint8Array;
  readonly headers: Uint8Array;
};

type Request = { readonly partitioning: Partitioning; readonly buffer: BatchBuffer };

const capacityAtFirst = 1024;
const noBytes = new Uint8Array(0);

export class Topic<In, Out> {
  readonly #context: TopicContext<In, Out>;
  readonly #host: TopicHost;

  constructor(context: TopicContext<In, Out>, host: TopicHost) {
    this.#context = context;
    this.#host = host;
  }

  /** Creates stream and topic where they are missing; what exists keeps its settings. */
  async ensure(settings: TopicSettings & { readonly partitionsCount: number }): Promise<TopicDetails> {
    const { session } = this.#host;
    const { ensureTopic } = await import("./ensure-topic.ts");
    return ensureTopic(session.exchange.bind(session), this.#context, settings);
  }

  /**
   * Sends now, over the client's own connection, one request for each partition. Never repeated by itself: ConnectionLostError says
   * whether it may be stored. Where messages of one call go to several partitions, some may be stored when it rejects.
   */
  async send(
    messages: OutgoingMessage<In> | readonly OutgoingMessage<In>[],
    { signal }: Abortable = {},
  ): Promise<SendReceipt> {
    const list = isList(messages) ? messages : [messages];
    const encoded = await Promise.all(list.map((message) => this.#encode(message)));
    const requests = await this.#requestsOf(encoded);
    const hasReceipts = this.#context.features().has("send-receipts");
    const { stream, topic } = this.#context;
    const code = hasReceipts ? ExtensionCode.sendWithReceipt : CommandCode.sendMessages;
    const replies = await Promise.all(
      requests.map(({ partitioning, buffer }) => {
        const parts = [sendHead(stream, topic, partitioning, buffer.messagesCount), ...buffer.parts()];
        const options = { repeatable: false, ...(signal === undefined ? {} : { signal }) };
        const { messagesCount } = buffer;
        const partitionId = partitioning.kind === "partition" ? partitioning.partitionId : undefined;
        const place = { stream: String(stream.value), topic: String(topic.value), partitionId };
        const { session } = this.#host;
        const { send } = session.instrumentation;
        const facts = () => ({ ...place, messagesCount });
        const sent = observed("send", send, facts, () => session.exchange(code, parts, options));
        return naming(sent, { stream, topic });
      }),
    );
    const [request, ...more] = requests;
    const receipt = { messagesCount: list.length, partitionId: undefined, firstOffset: undefined, attempts: 1 };
    if (request === undefined || more.length > 0) return receipt;
    const { partitioning } = request;
    if (!hasReceipts)
      return partitioning.kind === "partition" ? { ...receipt, partitionId: partitioning.partitionId } : receipt;
    const { partitionId, firstOffset } = decode(sendWithReceiptReplyCodec, replies[0] ?? noBytes);
    // Where the server leaves out repeats, those with ids of the program may be among them.
    const mayHaveRepeats = this.#context.features().has("deduplication") && list.some(({ id }) => id !== undefined);
    return { ...receipt, partitionId, firstOffset: mayHaveRepeats ? undefined : Number(firstOffset) };
  }

  /** Sends in batches, over a connection of its own. */
  producer(options: ProducerOptions = {}): Producer<In> {
    let forget = () => {};
    const producer = new Producer(this.#context, options, () => forget());
    forget = this.#host.hold("producer", producer);
    return producer;
  }

  /** A member of a group, or a consumer by name, over a connection of its own. Nothing is sent before its first loop. */
  consumer(options: ConsumerOptions): Consumer<Out> {
    let forget = () => {};
    const consumer = consumerOf<Out>(this.#context, options, this.#host.session.instrumentation, () => forget());
    forget = this.#host.hold("consumer", consumer);
    return consumer;
  }

  /** Reads over a connection of its own and stores nothing. */
  reader(options: ReaderOptions = {}): Reader<Out> {
    let forget = () => {};
    const reader = readerOf<Out>(this.#context, options, this.#host.session.instrumentation, () => forget());
    forget = this.#host.hold("consumer", reader);
    return reader;
  }

  async #encode(message: OutgoingMessage<In>): Promise<Encoded> {
    checkNumbers(message);
    const key = keyBytesOf(message.key);
    const clear = this.#context.format.encode(message.value);
    const [payload, headers] = await this.#context.seal(
      clear,
      headersOf(message, undefined, this.#host.session.instrumentation.inject),
    );
    checkSizes(payload, headers);
    return { message, key, payload, headers };
  }

  /** In the order of the messages. Keys are put together by partition where there are several and the topic may be seen. */
  async #requestsOf(encoded: readonly Encoded[]): Promise<readonly Request[]> {
    const keys = new Set(encoded.map(({ key }) => key && String(key)));
    const partitionsCount = keys.size > 1 ? await this.#visiblePartitions() : undefined;
    const requests = new Map<string, Request>();
    const nowMs = this.#host.session.clock.dateMs();
    for (const { message, key, payload, headers } of encoded) {
      const partitioning = partitioningOf(message.partitionId, key, partitionsCount);
      const place = partitioning.kind === "partition" ? partitioning.partitionId : (key ?? "any");
      const name = `${partitioning.kind} ${place}`;
      const request = requests.get(name) ?? { partitioning, buffer: new BatchBuffer(capacityAtFirst) };
      requests.set(name, request);
      request.buffer.append(payload, headers, message.originTimestamp?.getTime() ?? nowMs, message.id ?? 0n);
    }
    return [...requests.values()];
  }

  async #visiblePartitions(): Promise<number | undefined> {
    try {
      return (await this.#context.countPartitions(this.#host.session)) || undefined;
    } catch (error) {
      if (IggyError.is(error, "Unauthorized")) return undefined; // the server chooses
      throw error;
    }
  }
}

function partitioningOf(
  partitionId: number | undefined,
  key: Uint8Array | undefined,
  partitionsCount: number | undefined,
): Partitioning {
  if (partitionId !== undefined) return { kind: "partition", partitionId };
  if (key === undefined) return { kind: "balanced" };
  if (partitionsCount === undefined) return { kind: "key", key };
  return { kind: "partition", partitionId: partitionOfKey(key, partitionsCount) };
}

function isList<T>(messages: T | readonly T[]): messages is readonly T[] {
  return Array.isArray(messages);
}
