// The types of what a command carries, taken from the protocol's registry by the command's name.
import type { Codec } from "../protocol/codec.ts";
import type { CommandName } from "../protocol/codes.ts";
import type { commandCodecs } from "../protocol/registry.ts";

/** The decoded request of a command. */
export type RequestOf<N extends CommandName> = (typeof commandCodecs)[N]["request"] extends Codec<infer T> ? T : never;

/** The decoded reply of a command. */
export type ReplyValueOf<N extends CommandName> = (typeof commandCodecs)[N]["reply"] extends Codec<infer T> ? T : never;
