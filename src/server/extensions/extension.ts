// A command of our own as dispatch runs it: the same order of checks as those of 0.8 (spec BP 2.9). All need a login.
import { type Codec, decode, encode } from "../../protocol/codec.ts";
import type { ExtensionName } from "../../protocol/extensions/codes.ts";
import { extensionCodecs } from "../../protocol/extensions/registry.ts";
import type { Handler } from "../command.ts";
import type { ServerContext } from "../context.ts";
import type { Reply } from "../reply.ts";
import type { Session } from "../session.ts";

type Codecs<N extends ExtensionName> = (typeof extensionCodecs)[N];
type RequestOf<N extends ExtensionName> = Codecs<N>["request"] extends Codec<infer T> ? T : never;
type ReplyOf<N extends ExtensionName> = Codecs<N>["reply"] extends Codec<infer T> ? T : never;

export interface Extension {
  readonly name: ExtensionName;
  /** Reads the request; throws an IggyError for bytes that are none. */
  decode(payload: Uint8Array): unknown;
  run(context: ServerContext, session: Session, request: unknown): Reply | Promise<Reply>;
}

/** A command whose reply is a value of its reply codec. */
export function extension<N extends ExtensionName>(name: N, handle: Handler<RequestOf<N>, ReplyOf<N>>): Extension {
  const codec = extensionCodecs[name].reply as Codec<unknown>;
  return plainExtension(name, (context, session, request: RequestOf<N>) => {
    const result = handle(context, session, request);
    return result instanceof Promise ? result.then((value) => encode(codec, value)) : encode(codec, result);
  });
}

/** A command that makes its own reply. */
export function plainExtension<N extends ExtensionName>(name: N, handle: Handler<RequestOf<N>, Reply>): Extension {
  const codec = extensionCodecs[name].request as Codec<unknown>;
  return {
    name,
    decode: (payload) => decode(codec, payload),
    run: (context, session, request) => handle(context, session, request as RequestOf<N>),
  };
}
