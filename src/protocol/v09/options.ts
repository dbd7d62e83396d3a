// Options of topics, streams and users in the protocol of 0.9 (spec P9 11.1): the encoding of user headers, to the end of
// the body in a request, behind a length in a reply.

/** One option as it travels. */
export interface Option {
  readonly key: string;
  /** `HeaderKindCode` of the value. */
  readonly kind: number;
  readonly value: Uint8Array;
}

/** The options of a topic as a reply shows them: what its maker gave, and the rest with the values in force (spec P9 11.2). */
export interface ShownOptions {
  readonly explicit: readonly Option[];
  readonly derived: readonly Option[];
}
