import { expect, test } from "bun:test";
import fc from "fast-check";
import { aes256Gcm } from "../../../src/client/index.ts";
import { createCipher } from "../../../src/security/encryption.ts";

// The broker's own cipher has the form of the Rust SDK (spec SB 4.9), and so has the client's: each opens what the other sealed.

const key = (fill: number) => Buffer.alloc(32, fill).toString("base64");

test("a fixed text: nonce, ciphertext, tag", async () => {
  // Test case 14 of the GCM specification (McGrew, Viega): key, nonce and text are zeros.
  const sealed = Buffer.from("0000000000000000000000000000000000000000d0d1c8a799996bf0265b98b5d48ab919", "hex");
  const vector = Buffer.concat([
    Buffer.alloc(12),
    Buffer.from("cea7403d4d606b6e074ec5d3baf39d18", "hex"),
    Buffer.from("d0d1c8a799996bf0265b98b5d48ab919", "hex"),
  ]);
  const { decrypt } = await aes256Gcm(key(0));
  expect(await decrypt(vector)).toEqual(new Uint8Array(16));
  await expect(decrypt(sealed)).rejects.toMatchObject({ code: 72 });
});

test("property: client and broker open each other's texts", async () => {
  const client = await aes256Gcm(key(7));
  const broker = createCipher(key(7));
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 3000 }), async (clear) => {
      expect(broker.decrypt(await client.encrypt(clear))).toEqual(clear);
      expect(await client.decrypt(broker.encrypt(clear))).toEqual(clear);
    }),
    { numRuns: 50 },
  );
});

test("the first key encrypts, each one decrypts", async () => {
  const both = await aes256Gcm([key(2), key(1)]);
  const [newOne, oldOne] = [await aes256Gcm(key(2)), await aes256Gcm(key(1))];
  const clear = Uint8Array.of(1, 2, 3);
  expect(await newOne.decrypt(await both.encrypt(clear))).toEqual(clear);
  expect(await both.decrypt(await oldOne.encrypt(clear))).toEqual(clear);
  await expect(newOne.decrypt(await oldOne.encrypt(clear))).rejects.toMatchObject({ code: 72 });
});

test("a changed byte, what is too short, keys that are none", async () => {
  const { encrypt, decrypt } = await aes256Gcm(key(1));
  const encrypted = await encrypt(Uint8Array.of(5));
  for (let index = 0; index < encrypted.length; index++) {
    const changed = encrypted.slice();
    changed[index]! ^= 1;
    await expect(decrypt(changed)).rejects.toMatchObject({ code: 72 });
  }
  await expect(decrypt(encrypted.slice(0, 27))).rejects.toMatchObject({ code: 72 });
  for (const bad of ["", "no base64!", Buffer.alloc(31).toString("base64"), key(1).slice(0, -1)]) {
    await expect(aes256Gcm(bad)).rejects.toMatchObject({ code: 70 });
  }
  await expect(aes256Gcm([])).rejects.toMatchObject({ code: 70 });
});
