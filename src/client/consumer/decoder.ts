// From the bytes of a message to its value: decrypted, then decoded. What is synchronous stays so.

import { SchemaError } from "../errors.ts";
import type { ReceivedMessage } from "./received-message.ts";

export interface Decoding<Out> {
  decode(payload: Uint8Array): Out | Promise<Out>;
}

export interface Decrypting {
  decrypt(encrypted: Uint8Array): Promise<Uint8Array>;
}

interface DecoderMethod<Out> {
  decode(message: ReceivedMessage<Out>): Promise<void> | undefined;
}

/**
 * Sets the value of a message. Throws, or rejects with, the error of the format or of the encryption. By the type of a method a
 * consumer of one type is one of a wider type, too: messages come out of it and do not go in.
 */
export type Decoder<Out> = DecoderMethod<Out>["decode"];

/** A SchemaError that says which message it is about. */
function about(message: ReceivedMessage<unknown>, error: unknown): unknown {
  if (!(error instanceof SchemaError) || error.failed !== undefined) return error;
  return new SchemaError(error.issues, { cause: error.cause, failed: message });
}

export function decoderOf<Out>(format: Decoding<Out>, encryption?: Decrypting): Decoder<Out> {
  const decode = (message: ReceivedMessage<Out>): Promise<void> | undefined => {
    try {
      const value = format.decode(message.payload);
      if (value instanceof Promise) {
        return value.then(
          (decoded) => {
            message.value = decoded;
          },
          (error: unknown) => Promise.reject(about(message, error)),
        );
      }
      message.value = value;
    } catch (error) {
      throw about(message, error);
    }
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
