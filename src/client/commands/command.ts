// How a command becomes a payload and its reply a value, over any way to exchange the two. A missing object is an empty reply
// (spec BP 2.2), which is undefined here.

import { type Codec, decode, encode } from "../../protocol/codec.ts";
import { IggyError } from "../../protocol/errors.ts";
import { naming } from "./naming.ts";

export type ExchangeOptions = {
  /** Whether the request may be sent a second time when its reply was lost; if not given, that follows from its code. */
  readonly repeatable?: boolean;
};

/** Sends a payload and resolves with the reply's payload; rejects with the IggyError of the reply. */
export type Exchange = (
  code: number,
  payload: Uint8Array | readonly Uint8Array[],
  options?: ExchangeOptions,
) => Promise<Uint8Array>;

/** How a command's payloads are read and written. */
export type CodecPair<Request, Reply> = { readonly request: Codec<Request>; readonly reply: Codec<Reply> };

/** Any command by its code and codecs. A reply that does not decode is InvalidFormat (4) with the reason as `cause`. */
export async function command<Request, Reply>(
  exchange: Exchange,
  code: number,
  codecs: CodecPair<Request, Reply>,
  request: Request,
  options?: ExchangeOptions,
): Promise<Reply> {
  return decodeReply(codecs.reply, await naming(exchange(code, encode(codecs.request, request), options), request));
}

/** A command whose reply is empty if there is no such object. */
export async function find<Request, Reply>(
  exchange: Exchange,
  code: number,
  codecs: CodecPair<Request, Reply>,
  request: Request,
): Promise<Reply | undefined> {
  const payload = await naming(exchange(code, encode(codecs.request, request)), request);
  return payload.length === 0 ? undefined : decodeReply(codecs.reply, payload);
}

function decodeReply<Reply>(codec: Codec<Reply>, payload: Uint8Array): Reply {
  try {
    return decode(codec, payload);
  } catch (cause) {
    // Not the codec's own InvalidCommand: that would read as if the server had refused the request.
    throw new IggyError("InvalidFormat", [], { cause });
  }
}
