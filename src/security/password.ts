// Password hashes: Argon2id with the parameters of the original (spec SB 7.1), as PHC strings. Both functions hold the
// calling thread for some 20 ms: only the thread of the login desk calls them while clients are served.
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";

const argon2id = { algorithm: "argon2id", memoryCost: 19_456, timeCost: 2 } as const;

export function hashPassword(password: string): string {
  return Bun.password.hashSync(password, argon2id);
}

/** Throws when `hash` is no hash of a password. */
export function verifyPassword(password: string, hash: string): boolean {
  return Bun.password.verifySync(password, hash);
}

const rememberedMax = 1024;

/**
 * Right passwords by their hashes, as MACs under a key that only this object knows: a fleet of clients that reconnects
 * should not cost some 20 ms of processor time for each.
 */
export class PasswordMemory {
  readonly #key = randomBytes(32);
  /** The one used last at the end. */
  readonly #macs = new Map<string, Buffer>();

  /** Whether this password was right for this hash before. False says nothing. */
  isRight(password: string, hash: string): boolean {
    const known = this.#macs.get(hash);
    if (known === undefined || !timingSafeEqual(known, this.#macOf(password))) return false;
    this.#macs.delete(hash);
    this.#macs.set(hash, known);
    return true;
  }

  remember(password: string, hash: string): void {
    this.#macs.delete(hash);
    this.#macs.set(hash, this.#macOf(password));
    if (this.#macs.size <= rememberedMax) return;
    const [oldest] = this.#macs.keys();
    if (oldest !== undefined) this.#macs.delete(oldest);
  }

  #macOf(password: string): Buffer {
    return createHmac("sha256", this.#key).update(password).digest();
  }
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
