// Base64 where the runtime's own methods of Uint8Array are missing, as in Node 20.

/** Bytes of padded base64; undefined unless the text is the one form of its bytes. */
export function bytesOfBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    const binary = atob(text);
    if (btoa(binary) !== text) return undefined;
    return Uint8Array.from(binary, (character) => character.charCodeAt(0));
  } catch {
    return undefined; // not base64, which is all that `atob` can say
  }
}
