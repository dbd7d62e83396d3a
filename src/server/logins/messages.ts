// What shards ask of the login desk, of which the process has one.

export type DeskRequest =
  /** Is `password` that of `passwordHash`? Undefined: no user has the name; the answer takes as long as for a wrong password. */
  | {
      readonly kind: "password";
      readonly address: string;
      readonly name: string;
      readonly password: string;
      readonly passwordHash: string | undefined;
    }
  /** A token that is not valid was shown; its refusal is to wait for its turn. */
  | { readonly kind: "wrongToken"; readonly address: string }
  /** Make the hash of a new password. */
  | { readonly kind: "hash"; readonly address: string; readonly password: string };

export type DeskAnswer =
  | { readonly kind: "right" }
  | { readonly kind: "wrong" }
  | { readonly kind: "hashed"; readonly passwordHash: string }
  /** Too many wait, of this network or in all. */
  | { readonly kind: "refused" }
  /** A fault, such as a hash that cannot be read. */
  | { readonly kind: "failed"; readonly reason: string };

export interface DeskRequestMessage {
  readonly id: number;
  readonly request: DeskRequest;
}

export interface DeskAnswerMessage {
  readonly id: number;
  readonly answer: DeskAnswer;
}

/** The part of a MessagePort that is used here. */
export interface LoginPort<Sent> {
  postMessage(message: Sent): void;
  addEventListener(type: "message", listener: (event: { readonly data: unknown }) => void): void;
  start(): void;
}
