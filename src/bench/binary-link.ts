// A connection that carries frames: TCP and WebSocket, encrypted or not.

import { type Connection, TcpConnection, WebSocketConnection } from "../client/index.ts";
import { encode } from "../protocol/codec.ts";
import { CommandCode } from "../protocol/codes.ts";
import { nameId } from "../protocol/identifier.ts";
import { commandCodecs } from "../protocol/registry.ts";
import { BatchFrame, groupName, topicName } from "./batch.ts";
import { nowMicros } from "./clock.ts";
import type { BatchShape, Link, Poller, Sender } from "./link.ts";
import { groupPollFrame, PollFrame } from "./poll-frame.ts";
import { isEncrypted, type Target, urlOf } from "./target.ts";

function connect(target: Target): Promise<Connection> {
  const { transport, host, port } = target;
  const secure = isEncrypted(transport) ? { tls: target.tls } : {};
  if (transport === "tcp" || transport === "tls") return TcpConnection.connect({ host, port, ...secure });
  return WebSocketConnection.connect({ url: urlOf(transport === "wss" ? "wss" : "ws", target), ...secure });
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
    const frame = new BatchFrame(streamName, messagesPerBatch, messageSizeBytes, placement);
    return {
      prepare: () => frame.renew(nowMicros()),
      send: async () => {
        await this.#connection.requestFrame(frame.bytes);
      },
    };
  }

  poller(streamName: string, consumerNumber: number): Poller {
    const frame = new PollFrame(streamName, consumerNumber);
    return {
      poll: (offset, count) => {
        frame.set(offset, count);
        return this.#connection.requestFrame(frame.bytes);
      },
    };
  }

  async joinGroup(streamName: string, count: number): Promise<() => Promise<Uint8Array>> {
    const place = { stream: nameId(streamName), topic: nameId(topicName), group: nameId(groupName) };
    const request = encode(commandCodecs.joinConsumerGroup.request, place);
    await this.#connection.request(CommandCode.joinConsumerGroup, request);
    const frame = groupPollFrame(streamName, count);
    return () => this.#connection.requestFrame(frame);
  }

  close(): void {
    this.#connection.close();
  }
}
