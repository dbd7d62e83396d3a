// Helpers of the protocol tests.

import { IggyError } from "../../src/protocol/errors.ts";

/** Bytes of hexadecimal text; spaces are ignored. */
export function hex(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.fromHex(text.replaceAll(/\s/g, ""));
}

/** Code of the IggyError that `action` throws; 0 if it throws nothing. Anything else that it throws goes on. */
export function codeOf(action: () => unknown): number {
  try {
    action();
    return 0;
  } catch (error) {
    if (error instanceof IggyError) return error.code;
    throw error;
  }
}
