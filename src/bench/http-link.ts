// The JSON API. The runtime keeps the connections open between requests; a request that starts while another one is under
// way has a connection of its own.

import type { ClientTlsOptions } from "../client/index.bun.ts";
import { payloadOf, topicName } from "./batch.ts";
import { pollReplyOf } from "./http-reply.ts";
import type { BatchShape, Link, Poller, Sender } from "./link.ts";
import { isEncrypted, type Target, urlOf } from "./target.ts";

type Request = { readonly method: string; readonly path: string; readonly body?: string };

/** Path of the topic below which its messages are. */
function topicPathOf(streamName: string): string {
  return `/streams/${streamName}/topics/${topicName}`;
}

function tlsOptions({ ca, serverName, verify }: ClientTlsOptions) {
  return {
    rejectUnauthorized: verify ?? true,
    ...(ca === undefined ? {} : { ca }),
    ...(serverName === undefined ? {} : { serverName }),
  };
}

export class HttpLink implements Link {
  readonly #target: Target;
  #token = "";

  private constructor(target: Target) {
    this.#target = target;
  }

  static async open(target: Target): Promise<HttpLink> {
    const link = new HttpLink(target);
    const { username, password } = target;
    const body = JSON.stringify({ username, password });
    const identity: unknown = JSON.parse(await link.#request({ method: "POST", path: "/users/login", body }));
    link.#token = tokenOf(identity);
    return link;
  }

  /** The document is made once, as the payloads of the other transports are; it carries no origin timestamps (spec HA 5.2). */
  sender({ streamName, messagesPerBatch, messageSizeBytes, placement }: BatchShape): Sender {
    const message = { payload: payloadOf(messageSizeBytes).toBase64() };
    const body = JSON.stringify({
      partitioning:
        placement === "balanced"
          ? { kind: "balanced", value: "" }
          : { kind: "partition_id", value: new Uint8Array(4).toBase64() },
      messages: new Array<typeof message>(messagesPerBatch).fill(message),
    });
    const request = { method: "POST", path: `${topicPathOf(streamName)}/messages`, body };
    return {
      prepare: () => undefined,
      send: async () => {
        await this.#request(request);
      },
    };
  }

  poller(streamName: string, consumerNumber: number): Poller {
    const path = `${topicPathOf(streamName)}/messages?consumer_id=${consumerNumber}&partition_id=0&kind=offset`;
    return {
      poll: async (offset, count) =>
        pollReplyOf(await this.#request({ method: "GET", path: `${path}&value=${offset}&count=${count}` })),
    };
  }

  joinGroup(): Promise<never> {
    return Promise.reject(new Error("there are no groups over HTTP"));
  }

  close(): void {
    // The runtime closes what it has pooled.
  }

  async #request({ method, path, body }: Request): Promise<string> {
    const { transport, tls } = this.#target;
    const response = await fetch(`${urlOf(transport, this.#target)}${path}`, {
      method,
      headers: {
        ...(this.#token === "" ? {} : { authorization: `Bearer ${this.#token}` }),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body }),
      ...(isEncrypted(transport) ? { tls: tlsOptions(tls) } : {}),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: HTTP status ${response.status}: ${text}`);
    return text;
  }
}

function tokenOf(identity: unknown): string {
  const { access_token } = identity as { readonly access_token?: { readonly token?: unknown } };
  if (typeof access_token?.token !== "string") throw new Error("the answer to the login has no token");
  return access_token.token;
}
