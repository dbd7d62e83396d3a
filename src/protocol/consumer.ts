// Consumer (spec BP 3.3): kind u8 (1 single consumer, 2 consumer group), then an identifier.

import { type Codec, recordCodec } from "./codec.ts";
import { type Identifier, identifierCodec } from "./identifier.ts";
import { enumerationCodec } from "./primitives.ts";

/** Who polls or stores an offset: a single consumer by number or name, or a group by id or name. */
export type Consumer = { readonly kind: "consumer" | "group"; readonly id: Identifier };

export const ConsumerKindCode = { consumer: 1, group: 2 } as const;

/** An unknown kind is InvalidCommand (3). */
export const consumerCodec: Codec<Consumer> = recordCodec<Consumer>({
  kind: enumerationCodec(ConsumerKindCode),
  id: identifierCodec,
});
