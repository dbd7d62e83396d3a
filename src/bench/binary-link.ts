// A connection that carries frames: TCP and WebSocket, encrypted or not.

import { type Connection, transports } from "../client/index.bun.ts";
import { encode } from "../protocol/codec.ts";
import { CommandCode } from "../protocol/codes.ts";
import { nameId } from "../protocol/identifier.ts";
import { commandCodecs } from "../protocol/registry.ts";
import { BatchPayload, groupName, topicName } from "./batch.ts";
import { nowMicros } from "./clock.ts";
import type { BatchShape, Link, Poller, Sender } from "./link.ts";
import { groupPollPayload, PollPayload } from "./poll-payload.ts";
import { isEncrypted, schemeOf, type Target } from "./target.ts";

const connectTimeoutMs = 10_000;

function connect({ transport, host, port, tls }: Target): Promise<Connection> {
  const carrier = transports.find(({ schemes }) => schemes.includes(schemeOf(transport)));
  if (carrier === undefined) throw new TypeError(`nothing carries frames by ${transport}`);
  return carrier.open({ host, port, connectTimeoutMs, ...(isEncrypted(transport) ? { tls } : {}) });
}

export class BinaryLink implements Link {
  readonly #connection: Connection;

  private constructor(connection: Connection) {
    this.#connection = connection;
  }

  static async open(target: Target): Promise<BinaryLink> {
    const connection = await connect(target);
    const { username, password } = target;
    const login = { username, password, version: undefined, context: undefined };
    await connection.request(CommandCode.loginUser, encode(commandCodecs.loginUser.request, login));
    return new BinaryLink(connection);
  }

  sender({ streamName, messagesPerBatch, messageSizeBytes, placement }: BatchShape): Sender {
    const payload = new BatchPayload(streamName, messagesPerBatch, messageSizeBytes, placement);
    return {
      prepare: () => payload.renew(nowMicros()),
      send: async () => {
        await this.#connection.request(CommandCode.sendMessages, payload.bytes);
      },
    };
  }

  poller(streamName: string, consumerNumber: number): Poller {
    const payload = new PollPayload(streamName, consumerNumber);
    return {
      poll: (offset, count) => {
        payload.set(offset, count);
        return this.#connection.request(CommandCode.pollMessages, payload.bytes);
      },
    };
  }

  async joinGroup(streamName: string, count: number): Promise<() => Promise<Uint8Array>> {
    const place = { stream: nameId(streamName), topic: nameId(topicName), group: nameId(groupName) };
    const request = encode(commandCodecs.joinConsumerGroup.request, place);
    await this.#connection.request(CommandCode.joinConsumerGroup, request);
    const payload = groupPollPayload(streamName, count);
    return () => this.#connection.request(CommandCode.pollMessages, payload);
  }

  close(): void {
    this.#connection.close();
  }
}
