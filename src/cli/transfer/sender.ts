// Sends messages in batches, one batch after the other, and counts what was stored.

import type { Client, Encryption } from "../../client/index.bun.ts";
import type { MessageToSend } from "../../protocol/message/send-messages.ts";
import type { Partitioning } from "../../protocol/partitioning.ts";
import type { TopicPlace } from "../commands/places.ts";
import { Problem } from "../problem.ts";
import { decodedHeaders, fieldText } from "./headers.ts";

/** Bounds of one request. */
const batchMessagesMax = 1_000;
export const batchBytesMax = 1_000_000;
/** With a rate, batches are so small that ten leave in a second. */
const batchesPerSecond = 10;

/** Where messages go: as the protocol has it, by the value of one of their headers, or each where it was read from. */
export type SendTarget =
  | Partitioning
  | { readonly kind: "header"; readonly name: string }
  | { readonly kind: "own partition" };

export interface SendPlan extends TopicPlace {
  readonly target: SendTarget;
  /** Messages in a second. */
  readonly rate?: number | undefined;
  /** Bytes of payloads and headers in a second. */
  readonly bytesRate?: number | undefined;
}

interface Waiting {
  readonly message: MessageToSend;
  /** Where it was read from. */
  readonly partitionId: number;
}

export class Sender {
  messagesCount = 0;
  bytesCount = 0;
  readonly #client: Client;
  readonly #plan: SendPlan;
  readonly #encryption: Encryption | undefined;
  readonly #startedAtMs = performance.now();
  #batch: Waiting[] = [];
  #batchBytes = 0;

  constructor(client: Client, plan: SendPlan, encryption: Encryption | undefined) {
    this.#client = client;
    this.#plan = plan;
    this.#encryption = encryption;
  }

  /** Messages in a second since the start. */
  get rate(): number {
    return Math.round(this.messagesCount / this.#seconds);
  }

  /** Bytes in a second since the start. */
  get bytesRate(): number {
    return Math.round(this.bytesCount / this.#seconds);
  }

  get #seconds(): number {
    return Math.max((performance.now() - this.#startedAtMs) / 1000, 0.001);
  }

  /** Takes a message, and sends what has come together if that is enough. `partitionId`: where it was read from. */
  async add(message: MessageToSend, partitionId = 0): Promise<void> {
    const { rate = Number.POSITIVE_INFINITY, bytesRate = Number.POSITIVE_INFINITY } = this.#plan;
    const countMax = Math.max(1, Math.min(batchMessagesMax, Math.floor(rate / batchesPerSecond)));
    const bytesMax = Math.min(batchBytesMax, bytesRate / batchesPerSecond);
    this.#batch.push({ message, partitionId });
    this.#batchBytes += message.payload.length + (message.userHeaders?.length ?? 0);
    if (this.#batch.length >= countMax || this.#batchBytes >= bytesMax) await this.flush();
  }

  /** Sends what has come together. */
  async flush(): Promise<void> {
    const batch = this.#batch;
    if (batch.length === 0) return;
    const bytes = this.#batchBytes;
    this.#batch = [];
    this.#batchBytes = 0;
    await this.#wait(batch.length, bytes);
    const { stream, topic } = this.#plan;
    for (const { partitioning, messages } of this.#byPlace(batch)) {
      const encrypted = await Promise.all(messages.map((message) => this.#encrypted(message)));
      await this.#client.sendMessages({ stream, topic, partitioning, messages: encrypted });
      this.messagesCount += messages.length;
    }
    this.bytesCount += bytes;
  }

  /** Until the rates allow so much more. */
  async #wait(count: number, bytes: number): Promise<void> {
    const { rate, bytesRate } = this.#plan;
    const byCount = rate === undefined ? 0 : (this.messagesCount + count - 1) / rate;
    const byBytes = bytesRate === undefined ? 0 : (this.bytesCount + bytes) / bytesRate;
    const waitMs = this.#startedAtMs + Math.max(byCount, byBytes) * 1000 - performance.now();
    if (waitMs > 0) await Bun.sleep(waitMs);
  }

  /** The order stays within each place. */
  #byPlace(batch: readonly Waiting[]): { readonly partitioning: Partitioning; readonly messages: MessageToSend[] }[] {
    const { target } = this.#plan;
    if (target.kind === "header") {
      const byKey = Map.groupBy(batch, ({ message }) => keyOf(message, target.name));
      return [...byKey].map(([key, found]) => ({
        partitioning: { kind: "key", key: new TextEncoder().encode(key) },
        messages: found.map(({ message }) => message),
      }));
    }
    if (target.kind === "own partition") {
      const byPartition = Map.groupBy(batch, ({ partitionId }) => partitionId);
      return [...byPartition].map(([partitionId, found]) => ({
        partitioning: { kind: "partition", partitionId },
        messages: found.map(({ message }) => message),
      }));
    }
    return [{ partitioning: target, messages: batch.map(({ message }) => message) }];
  }

  async #encrypted(message: MessageToSend): Promise<MessageToSend> {
    if (this.#encryption === undefined) return message;
    const { payload, userHeaders } = message;
    return {
      ...message,
      payload: await this.#encryption.encrypt(payload),
      ...(userHeaders === undefined ? {} : { userHeaders: await this.#encryption.encrypt(userHeaders) }),
    };
  }
}

function keyOf({ userHeaders = new Uint8Array(0) }: MessageToSend, name: string): string {
  const header = decodedHeaders(userHeaders)?.find(({ key }) => fieldText(key) === name);
  if (header === undefined) throw new Problem(`a message has no header "${name}" to take its key from`);
  return fieldText(header.value);
}
