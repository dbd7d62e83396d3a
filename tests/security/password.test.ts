import { describe, expect, test } from "bun:test";
import { generatePassword, hashPassword, PasswordMemory, verifyPassword } from "../../src/security/password.ts";

describe("a password", () => {
  test("is right or wrong, however often and in whatever order it is asked", () => {
    const [first, second] = [hashPassword("secret-1"), hashPassword("secret-2")];
    const cases = [
      ["secret-1", first, true],
      ["secret-2", first, false],
      ["secret-2", second, true],
      ["secret-1", second, false],
      ["", first, false],
      ["secret-1 ", first, false],
    ] as const;
    for (const [password, hash, isRight] of [...cases, ...cases]) expect(verifyPassword(password, hash)).toBe(isRight);
  });

  test("hashes are Argon2id with the parameters of the original, each with its own salt", () => {
    const hashes = [hashPassword("secret"), hashPassword("secret")];
    for (const hash of hashes) expect(hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    expect(hashes[0]).not.toBe(hashes[1]);
  });

  test("that is generated has 20 to 39 letters and digits", () => {
    for (let round = 0; round < 200; round++) expect(generatePassword()).toMatch(/^[A-Za-z0-9]{20,39}$/);
  });
});

describe("the memory of right passwords", () => {
  test("knows what was right for this hash, and nothing else", () => {
    const memory = new PasswordMemory();
    expect(memory.isRight("secret", "hash-1")).toBe(false);
    memory.remember("secret", "hash-1");
    expect(memory.isRight("secret", "hash-1")).toBe(true);
    expect(memory.isRight("secret ", "hash-1")).toBe(false);
    expect(memory.isRight("secret", "hash-2")).toBe(false);
    memory.remember("changed", "hash-1");
    expect(memory.isRight("secret", "hash-1")).toBe(false);
  });

  test("holds 1,024; what was not used for longest makes room", () => {
    const memory = new PasswordMemory();
    for (let user = 0; user < 1024; user++) memory.remember("secret", `hash-${user}`);
    expect(memory.isRight("secret", "hash-0")).toBe(true);
    memory.remember("secret", "hash-1024");
    expect(memory.isRight("secret", "hash-0")).toBe(true);
    expect(memory.isRight("secret", "hash-1")).toBe(false);
    expect(memory.isRight("secret", "hash-2")).toBe(true);
  });
});
