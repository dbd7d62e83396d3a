// One connection that speaks in values: requests are encoded and replies decoded with the protocol's codecs, strictly.
import { type Codec, decodeStrict, encode } from "../../src/protocol/codec.ts";
import { CommandCode, type CommandName } from "../../src/protocol/codes.ts";
import { commandCodecs } from "../../src/protocol/registry.ts";
import { WireClient } from "../support/wire-client.ts";

type ValueOf<C> = C extends Codec<infer T> ? T : never;
export type RequestOf<N extends CommandName> = ValueOf<(typeof commandCodecs)[N]["request"]>;
export type ReplyOf<N extends CommandName> = ValueOf<(typeof commandCodecs)[N]["reply"]>;

export interface Answer<N extends CommandName> {
  /** 0, or an error number. */
  readonly status: number;
  /** Undefined for an empty payload: no content, an empty list, a missing object. */
  readonly value: ReplyOf<N> | undefined;
}

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Bytes of a request. */
export function requestBytes<N extends CommandName>(name: N, request: RequestOf<N>): Uint8Array {
  const codec: Codec<RequestOf<N>> = commandCodecs[name].request as Codec<never>;
  return encode(codec, request);
}

/** Throws unless the bytes are one value of the reply's codec, nothing behind it, and the value gives the same bytes. */
function replyValue<N extends CommandName>(name: N, payload: Uint8Array): ReplyOf<N> | undefined {
  if (payload.length === 0) return undefined;
  const codec: Codec<ReplyOf<N>> = commandCodecs[name].reply as Codec<never>;
  const value = decodeStrict(codec, payload);
  if (!Buffer.from(encode(codec, value)).equals(payload)) throw new Error(`${name}: the reply is written differently`);
  return value;
}

export class Caller {
  readonly wire: WireClient;

  private constructor(wire: WireClient) {
    this.wire = wire;
  }

  /** A connection without login. The ping shows the server at once what kind of frames it gets. */
  static async connect(address: Address): Promise<Caller> {
    const caller = new Caller(await WireClient.connect(address));
    await caller.value("ping", undefined);
    return caller;
  }

  static async withToken(address: Address, token: string): Promise<Caller> {
    const caller = await Caller.connect(address);
    await caller.value("loginWithPersonalAccessToken", { token });
    return caller;
  }

  static async withPassword(address: Address, username: string, password: string): Promise<Caller> {
    const caller = await Caller.connect(address);
    await caller.value("loginUser", { username, password, version: undefined, context: undefined });
    return caller;
  }

  ask<N extends CommandName>(name: N, request: RequestOf<N>): Promise<Answer<N>> {
    return this.askRaw(name, requestBytes(name, request));
  }

  /** Sends the payload as it is. Throws if an error has content. */
  async askRaw<N extends CommandName>(name: N, payload: Uint8Array): Promise<Answer<N>> {
    const reply = await this.wire.request(CommandCode[name], payload);
    if (reply.status === 0) return { status: 0, value: replyValue(name, reply.payload) };
    if (reply.payload.length > 0) throw new Error(`${name}: an error reply with ${reply.payload.length} bytes`);
    return { status: reply.status, value: undefined };
  }

  /** The decoded reply; throws unless the command succeeds. */
  async value<N extends CommandName>(name: N, request: RequestOf<N>): Promise<ReplyOf<N> | undefined> {
    const { status, value } = await this.ask(name, request);
    if (status !== 0) throw new Error(`${name} was answered with ${status}`);
    return value;
  }

  /** As `value`, for a command that must have content. */
  async content<N extends CommandName>(name: N, request: RequestOf<N>): Promise<ReplyOf<N>> {
    const value = await this.value(name, request);
    if (value === undefined) throw new Error(`${name} was answered with nothing`);
    return value;
  }

  async status<N extends CommandName>(name: N, request: RequestOf<N>): Promise<number> {
    return (await this.ask(name, request)).status;
  }

  close(): void {
    this.wire.close();
  }
}
