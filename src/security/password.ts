// Password hashes: Argon2id with the parameters of the original (spec SB 7.1), as PHC strings. Both run on the runtime's
// thread pool, never on a shard's event loop.
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";

const argon2id = { algorithm: "argon2id", memoryCost: 19_456, timeCost: 2 } as const;

export function hashPassword(password: string): Promise<string> {
  return Bun.password.hash(password, argon2id);
}

/** Right passwords by their hash, as MACs under a key that only this thread knows, the one used last at the end. */
const verified = new Map<string, Buffer>();
const verifiedMax = 1024;
const macKey = randomBytes(32);

/**
 * A password that was right before is known again in microseconds: a fleet of clients that reconnects should not wait for
 * some 20 ms of processor time each. What is wrong always takes the full time.
 */
export async function verifyPassword(password: string, hash: string): Promise<boolean> {
  const mac = createHmac("sha256", macKey).update(password).digest();
  const known = verified.get(hash);
  if (known !== undefined && timingSafeEqual(known, mac)) return true;
  if (!(await Bun.password.verify(password, hash))) return false;
  verified.delete(hash);
  verified.set(hash, mac);
  if (verified.size > verifiedMax) for (const oldest of verified.keys()) if (verified.delete(oldest)) break;
  return true;
}

let nobodysHash: Promise<string> | undefined;

/** Takes as long as `verifyPassword`: an answer's time must not tell whether a name exists. */
export async function wastePassword(password: string): Promise<void> {
  nobodysHash ??= hashPassword(generatePassword());
  await verifyPassword(password, await nobodysHash);
}

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/** 20 to 39 letters and digits (spec SB 1.7), from the cryptographic source. */
export function generatePassword(): string {
  const length = 20 + (crypto.getRandomValues(new Uint8Array(1))[0]! % 20);
  let text = "";
  while (text.length < length) {
    for (const byte of crypto.getRandomValues(new Uint8Array(64))) {
      // 248 is the largest multiple of 62 in a byte: no letter is more likely than another.
      if (byte < 248 && text.length < length) text += alphabet[byte % alphabet.length];
    }
  }
  return text;
}
