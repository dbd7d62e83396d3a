// Polling strategy (spec BP 3.5), always 9 bytes: kind u8, value u64.

import { type Codec, recordCodec } from "./codec.ts";
import { enumerationCodec, u64Codec } from "./primitives.ts";

export const PollingKindCode = { offset: 1, timestamp: 2, first: 3, last: 4, next: 5 } as const;

export type PollingKind = keyof typeof PollingKindCode;

/** `value`: an offset, or a timestamp in µs; without meaning (0) for the other kinds. */
export type PollingStrategy = { readonly kind: PollingKind; readonly value: bigint };

/** An unknown kind is InvalidCommand (3). */
export const pollingStrategyCodec: Codec<PollingStrategy> = recordCodec<PollingStrategy>({
  kind: enumerationCodec(PollingKindCode),
  value: u64Codec,
});
