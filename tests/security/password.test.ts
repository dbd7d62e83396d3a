import { describe, expect, test } from "bun:test";
import { generatePassword, hashPassword, verifyPassword } from "../../src/security/password.ts";

describe("a password", () => {
  test("is right or wrong, however often and in whatever order it is asked", async () => {
    const [first, second] = await Promise.all([hashPassword("secret-1"), hashPassword("secret-2")]);
    const cases = [
      ["secret-1", first, true],
      ["secret-2", first, false],
      ["secret-2", second, true],
      ["secret-1", second, false],
      ["", first, false],
      ["secret-1 ", first, false],
    ] as const;
    for (let round = 0; round < 2; round++) {
      for (const [password, hash, isRight] of cases) expect(await verifyPassword(password, hash)).toBe(isRight);
    }
  });

  test("that was right is known again at once; a wrong one takes its time", async () => {
    const hash = await hashPassword("secret");
    const timeMs = async (password: string) => {
      const startMs = performance.now();
      await verifyPassword(password, hash);
      return performance.now() - startMs;
    };
    const firstMs = await timeMs("secret");
    const againMs = Math.min(await timeMs("secret"), await timeMs("secret"), await timeMs("secret"));
    const wrongMs = Math.min(await timeMs("wrong"), await timeMs("wrong"), await timeMs("wrong"));
    expect(againMs).toBeLessThan(firstMs / 4);
    expect(againMs).toBeLessThan(wrongMs / 4);
  });

  test("hashes are Argon2id with the parameters of the original, each with its own salt", async () => {
    const hashes = await Promise.all([hashPassword("secret"), hashPassword("secret")]);
    for (const hash of hashes) expect(hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    expect(hashes[0]).not.toBe(hashes[1]);
  });

  test("that is generated has 20 to 39 letters and digits", () => {
    for (let round = 0; round < 200; round++) expect(generatePassword()).toMatch(/^[A-Za-z0-9]{20,39}$/);
  });
});
