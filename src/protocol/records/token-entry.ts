// Token entry (spec BP 3.18): name, then u64 expiry in µs since the epoch, 0 = does not expire.

import { recordCodec } from "../codec.ts";
import { nameCodec, u64Codec } from "../primitives.ts";

export type TokenEntry = { readonly name: string; readonly expiryAtMicros: bigint };

export const tokenEntryCodec = recordCodec<TokenEntry>({ name: nameCodec, expiryAtMicros: u64Codec });
