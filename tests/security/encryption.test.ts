import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { createCipher } from "../../src/security/encryption.ts";

const keyBase64 = Buffer.alloc(32, 7).toString("base64");
const bytesOf = (text: string) => new TextEncoder().encode(text);

describe("encryption", () => {
  test("decrypt gives back what was encrypted, 28 bytes longer, whatever it is", () => {
    const cipher = createCipher(keyBase64);
    expect(cipher.overheadBytes).toBe(28);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (clear) => {
        const encrypted = cipher.encrypt(clear);
        expect(encrypted.byteLength).toBe(clear.byteLength + 28);
        expect(cipher.decrypt(encrypted)).toEqual(clear);
      }),
    );
  });

  test("works on shared memory", () => {
    const cipher = createCipher(keyBase64);
    const shared = new Uint8Array(new SharedArrayBuffer(100));
    shared.set(bytesOf("hello"), 10);
    const encrypted = cipher.encrypt(shared.subarray(10, 15));
    shared.set(encrypted, 20);
    expect(cipher.decrypt(shared.subarray(20, 20 + encrypted.byteLength))).toEqual(bytesOf("hello"));
  });

  test("no nonce comes twice", () => {
    const cipher = createCipher(keyBase64);
    const nonces = Array.from({ length: 1000 }, () =>
      Buffer.from(cipher.encrypt(bytesOf("same")).subarray(0, 12)).toString("hex"),
    );
    expect(new Set(nonces).size).toBe(1000);
  });

  test("is nonce, ciphertext and tag of AES-256-GCM, as any other implementation has it", async () => {
    const key = await crypto.subtle.importKey("raw", Buffer.alloc(32, 7), "AES-GCM", false, ["encrypt", "decrypt"]);
    const encrypted = createCipher(keyBase64).encrypt(bytesOf("a message"));
    const iv = Uint8Array.from(encrypted.subarray(0, 12));
    const decrypted = await crypto.subtle.decrypt(
      { name: "AES-GCM", iv },
      key,
      Uint8Array.from(encrypted.subarray(12)),
    );
    expect(new Uint8Array(decrypted)).toEqual(bytesOf("a message"));
  });

  test("another key, a changed byte, a cut end and clear text are not decrypted", () => {
    const cipher = createCipher(keyBase64);
    const encrypted = cipher.encrypt(bytesOf("secret"));
    expect(createCipher(Buffer.alloc(32, 8).toString("base64")).decrypt(encrypted)).toBeUndefined();
    for (let at = 0; at < encrypted.byteLength; at++) {
      const changed = encrypted.slice();
      changed[at]! ^= 1;
      expect(cipher.decrypt(changed)).toBeUndefined();
      expect(cipher.decrypt(encrypted.subarray(0, at))).toBeUndefined();
    }
    expect(cipher.decrypt(bytesOf("this was never encrypted, but it is long enough"))).toBeUndefined();
  });

  test.each([
    ["", "has 0 bytes"],
    ["AAAA", "has 3 bytes"],
    [Buffer.alloc(33).toString("base64"), "has 33 bytes"],
    [keyBase64.slice(0, -1), "not base64"],
    [` ${keyBase64}`, "not base64"],
    ["not a key!", "not base64"],
  ])("the key %p is refused: %s", (key, reason) => {
    expect(() => createCipher(key)).toThrow(reason);
  });
});
