// From the bytes of a message to its value: decrypted, then decoded. What is synchronous stays so.

import type { ReceivedMessage } from "./received-message.ts";

export interface Decoding<Out> {
  decode(payload: Uint8Array): Out | Promise<Out>;
}

export interface Decrypting {
  decrypt(encrypted: Uint8Array): Promise<Uint8Array>;
}

/** Sets the value of a message. Throws, or rejects with, the error of the format or of the encryption. */
export type Decoder<Out> = (message: ReceivedMessage<Out>) => Promise<void> | undefined;

export function decoderOf<Out>(format: Decoding<Out>, encryption?: Decrypting): Decoder<Out> {
  const decode = (message: ReceivedMessage<Out>): Promise<void> | undefined => {
    const value = format.decode(message.payload);
    if (value instanceof Promise) {
      return value.then((decoded) => {
        message.value = decoded;
      });
    }
    message.value = value;
    return undefined;
  };
  if (encryption === undefined) return decode;
  return async (message) => {
    const { payload, headersBytes } = message;
    const clear = await encryption.decrypt(payload);
    // Headers that are not there are not encrypted either.
    message.replace(clear, headersBytes.length === 0 ? headersBytes : await encryption.decrypt(headersBytes));
    await decode(message);
  };
}
