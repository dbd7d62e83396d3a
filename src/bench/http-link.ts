// The JSON API. The runtime keeps the connections open between requests; a request that starts while another one is under
// way has a connection of its own.

import { HttpClient, pollPathOf, sendBodyOf } from "../client/index.ts";
import { numericId } from "../protocol/identifier.ts";
import { payloadOf, topicName } from "./batch.ts";
import { pollReplyOf } from "./http-reply.ts";
import type { BatchShape, Link, Poller, Sender } from "./link.ts";
import { isEncrypted, type Target, urlOf } from "./target.ts";

export function connectHttp(target: Target): Promise<HttpClient> {
  const { transport, username, password, tls } = target;
  const secure = isEncrypted(transport) ? { tls } : {};
  return HttpClient.connect({ url: urlOf(transport, target), username, password, ...secure });
}

/** Path of the topic below which its messages are. */
export function topicPathOf(streamName: string): string {
  return `/streams/${streamName}/topics/${topicName}`;
}

export class HttpLink implements Link {
  readonly #client: HttpClient;

  private constructor(client: HttpClient) {
    this.#client = client;
  }

  static async open(target: Target): Promise<HttpLink> {
    return new HttpLink(await connectHttp(target));
  }

  /** The document is made once, as the frames of the other transports are; it carries no origin timestamps (spec HA 5.2). */
  sender({ streamName, messagesPerBatch, messageSizeBytes, placement }: BatchShape): Sender {
    const message = { payload: payloadOf(messageSizeBytes) };
    const body = sendBodyOf({
      partitioning: placement === "balanced" ? { kind: "balanced" } : { kind: "partition", partitionId: 0 },
      messages: new Array<typeof message>(messagesPerBatch).fill(message),
    });
    const path = `${topicPathOf(streamName)}/messages`;
    return {
      prepare: () => undefined,
      send: async () => {
        await this.#client.request("POST", path, body);
      },
    };
  }

  poller(streamName: string, consumerNumber: number): Poller {
    const consumer = { kind: "consumer", id: numericId(consumerNumber) } as const;
    const place = { stream: streamName, topic: topicName, consumer, partitionId: 0 };
    return {
      poll: async (offset, count) => {
        const strategy = { kind: "offset", value: BigInt(offset) } as const;
        const { text } = await this.#client.request("GET", pollPathOf({ ...place, strategy, count }));
        return pollReplyOf(text);
      },
    };
  }

  joinGroup(): Promise<never> {
    return Promise.reject(new Error("there are no groups over HTTP"));
  }

  close(): void {
    // The runtime closes what it has pooled.
  }
}
