// How a command becomes a payload and its reply a value, over any way to exchange the two. The commands stand in one class
// for each subject, each on top of the other, so that a client has them all as plain methods; ExtensionCommands is
// the last. A missing object is an empty reply (spec BP 2.2), which the methods give as undefined.

import { type Codec, decode, encode } from "../protocol/codec.ts";
import { IggyError } from "../protocol/errors.ts";

export type ExchangeOptions = {
  /** Whether the request may be sent a second time when its reply was lost; if not given, that follows from its code. */
  readonly repeatable?: boolean;
};

/** How a command's payloads are read and written. */
type CodecPair<Request, Reply> = { readonly request: Codec<Request>; readonly reply: Codec<Reply> };

/** An empty reply is undefined. */
function optionalReply<Reply>(codec: Codec<Reply>): Codec<Reply | undefined> {
  return {
    encode: (writer, reply) => (reply === undefined ? undefined : codec.encode(writer, reply)),
    decode: (reader) => (reader.remaining === 0 ? undefined : codec.decode(reader)),
  };
}

function decodeReply<Reply>(codec: Codec<Reply>, payload: Uint8Array): Reply {
  try {
    return decode(codec, payload);
  } catch (cause) {
    // Not the codec's own InvalidCommand: that would read as if the server had refused the request.
    throw new IggyError("InvalidFormat", [], { cause });
  }
}

export abstract class CommandSender {
  /** Sends a payload and resolves with the reply's payload; rejects with the IggyError of the reply. */
  abstract exchange(
    code: number,
    payload: Uint8Array | readonly Uint8Array[],
    options?: ExchangeOptions,
  ): Promise<Uint8Array>;

  /** Any command by its code and codecs. A reply that does not decode is InvalidFormat (4) with the reason as `cause`. */
  async send<Request, Reply>(
    code: number,
    requestCodec: Codec<Request>,
    request: Request,
    replyCodec: Codec<Reply>,
    options?: ExchangeOptions,
  ): Promise<Reply> {
    return decodeReply(replyCodec, await this.exchange(code, encode(requestCodec, request), options));
  }

  /** A command with its own codecs. */
  protected run<Request, Reply>(code: number, codecs: CodecPair<Request, Reply>, request: Request): Promise<Reply> {
    return this.send(code, codecs.request, request, codecs.reply);
  }

  /** A command whose reply is empty if there is no such object. */
  protected find<Request, Reply>(
    code: number,
    codecs: CodecPair<Request, Reply>,
    request: Request,
  ): Promise<Reply | undefined> {
    return this.send(code, codecs.request, request, optionalReply(codecs.reply));
  }
}
