import { describe, expect, test } from "bun:test";
import { apply } from "../../src/metadata/apply.ts";
import { createState, findToken, findUser, type MetadataState, usersMax } from "../../src/metadata/state.ts";
import {
  isTokenExpired,
  planCreateToken,
  planDeleteToken,
  planExpireTokens,
  requireTokenName,
  tokensOf,
} from "../../src/metadata/token-commands.ts";
import {
  planChangePassword,
  planCreateUser,
  planDeleteUser,
  planUpdatePermissions,
  planUpdateUser,
  requirePassword,
  requireUserName,
} from "../../src/metadata/user-commands.ts";
import { u64Max } from "../../src/protocol/limits.ts";
import { codeOf, emptyPermissions, named, numeric } from "./support.ts";

const now = 1_750_000_000_000_000;
const base = { passwordHash: "hash", status: 1, permissions: null } as const;
const tokensMax = 2;

/** Root (0), alice (1), and a user whose name is "0" (2). */
function sampleState(): MetadataState {
  const state = createState();
  for (const name of ["iggy", "alice", "0"]) apply(state, planCreateUser(state, { ...base, name }, now));
  return state;
}

function addToken(state: MetadataState, name: string, expiryMicros: bigint, userId = 1): void {
  const request = { userId, name, tokenHash: `hash of ${name} of ${userId}`, expiryMicros };
  apply(state, planCreateToken(state, request, now, tokensMax));
}

describe("users", () => {
  test("ids count up, and the one freed last is used first", () => {
    const state = sampleState();
    for (const user of [numeric(1), numeric(2)]) apply(state, planDeleteUser(state, { user }));
    const created = ["x", "y", "z"].map((name) => {
      const event = planCreateUser(state, { ...base, name }, now);
      apply(state, event);
      return event.userId;
    });
    expect(created).toEqual([2, 1, 3]);
  });

  test("a name that is taken is refused at create and update, but not one's own", () => {
    const state = sampleState();
    expect(codeOf(() => planCreateUser(state, { ...base, name: "alice" }, now))).toBe(46);
    expect(codeOf(() => planUpdateUser(state, { user: named("alice"), name: "iggy" }))).toBe(46);
    expect(codeOf(() => planUpdateUser(state, { user: named("alice"), name: "alice" }))).toBe(0);
  });

  test("a name made of digits is a name", () => {
    const state = sampleState();
    expect(findUser(state, named("0"))?.id).toBe(2);
    expect(findUser(state, numeric(0))?.name).toBe("iggy");
    expect(findUser(state, named("1"))).toBeUndefined();
  });

  test("at the limit there are no more", () => {
    const state = sampleState();
    state.users.ids.nextId = usersMax;
    expect(codeOf(() => planCreateUser(state, { ...base, name: "more" }, now))).toBe(55);
  });

  test("update changes what is given", () => {
    const state = sampleState();
    const user = findUser(state, numeric(1))!;
    apply(state, planUpdateUser(state, { user: named("alice"), status: 2 }));
    expect(user).toMatchObject({ name: "alice", status: 2 });
    apply(state, planUpdateUser(state, { user: named("alice"), name: "bob", status: undefined }));
    expect(user).toMatchObject({ name: "bob", status: 2 });
    expect(findUser(state, named("alice"))).toBeUndefined();
    expect(planUpdateUser(state, { user: named("bob") })).toEqual({ kind: "userUpdated", userId: 1 });
  });

  test("root can be renamed, but neither deleted nor restricted nor deactivated", () => {
    const state = sampleState();
    expect(codeOf(() => planDeleteUser(state, { user: named("iggy") }))).toBe(48);
    expect(codeOf(() => planUpdatePermissions(state, { user: numeric(0), permissions: null }))).toBe(49);
    expect(codeOf(() => planUpdateUser(state, { user: numeric(0), status: 2 }))).toBe(49);
    apply(state, planUpdateUser(state, { user: numeric(0), name: "admin", status: 1 }));
    expect(findUser(state, named("admin"))).toMatchObject({ id: 0, status: 1 });
  });

  test("where an earlier version has deactivated root, the last one who can manage users stays one", () => {
    const state = sampleState();
    const manager = { ...emptyPermissions(4), global: { ...emptyPermissions(4).global, manageUsers: true } };
    apply(state, { kind: "userUpdated", userId: 0, status: 2 });
    for (const user of [1, 2])
      apply(state, planUpdatePermissions(state, { user: numeric(user), permissions: manager }));
    apply(state, planUpdateUser(state, { user: numeric(2), status: 2 }));
    const user = numeric(1);
    expect(codeOf(() => planDeleteUser(state, { user }))).toBe(48);
    expect(codeOf(() => planUpdateUser(state, { user, status: 2 }))).toBe(49);
    expect(codeOf(() => planUpdatePermissions(state, { user, permissions: null }))).toBe(49);
    expect(codeOf(() => planUpdatePermissions(state, { user, permissions: emptyPermissions(4) }))).toBe(49);
    apply(state, planUpdatePermissions(state, { user, permissions: { ...manager } }));
    apply(state, planUpdateUser(state, { user: numeric(2), status: 1 }));
    apply(state, planDeleteUser(state, { user }));
    expect(codeOf(() => planDeleteUser(state, { user: numeric(2) }))).toBe(48);
  });

  test("an unknown user is 20 in every command", () => {
    const state = sampleState();
    for (const user of [numeric(9), named("nobody")]) {
      expect(codeOf(() => planUpdateUser(state, { user, name: "iggy" }))).toBe(20);
      expect(codeOf(() => planDeleteUser(state, { user }))).toBe(20);
      expect(codeOf(() => planUpdatePermissions(state, { user, permissions: null }))).toBe(20);
      expect(codeOf(() => planChangePassword(state, { user, passwordHash: "other" }))).toBe(20);
    }
  });

  test("password and permissions are replaced", () => {
    const state = sampleState();
    apply(state, planChangePassword(state, { user: numeric(1), passwordHash: "other" }));
    apply(state, planUpdatePermissions(state, { user: numeric(1), permissions: emptyPermissions(4) }));
    expect(findUser(state, numeric(1))).toMatchObject({ passwordHash: "other", permissions: emptyPermissions(4) });
    apply(state, planUpdatePermissions(state, { user: numeric(1), permissions: null }));
    expect(findUser(state, numeric(1))?.permissions).toBeNull();
  });

  test("lengths are counted in bytes", () => {
    expect(["ab", "abc", "ü".repeat(25), "a".repeat(51)].map((name) => codeOf(() => requireUserName(name)))).toEqual([
      43, 0, 0, 43,
    ]);
    expect(["ab", "üa", "a".repeat(100), "ü".repeat(51)].map((text) => codeOf(() => requirePassword(text)))).toEqual([
      44, 0, 0, 44,
    ]);
    expect(["ab", "abc", "a".repeat(30), "a".repeat(31)].map((name) => codeOf(() => requireTokenName(name)))).toEqual([
      50, 0, 0, 50,
    ]);
  });
});

describe("tokens", () => {
  test("a name is taken once per user, and the limit comes first", () => {
    const state = sampleState();
    addToken(state, "ci", 0n);
    addToken(state, "ci", 0n, 2);
    const request = { userId: 1, name: "ci", tokenHash: "new", expiryMicros: 0n };
    expect(codeOf(() => planCreateToken(state, request, now, tokensMax))).toBe(51);
    addToken(state, "other", 0n);
    expect(codeOf(() => planCreateToken(state, request, now, tokensMax))).toBe(52);
    expect(codeOf(() => planCreateToken(state, { ...request, userId: 9 }, now, tokensMax))).toBe(20);
    expect(tokensOf(state, 1).map(({ name }) => name)).toEqual(["ci", "other"]);
    expect(codeOf(() => tokensOf(state, 9))).toBe(20);
  });

  test("expiry counts from now; 0 and the largest number are never; a sum beyond the wire stays on it", () => {
    const state = sampleState();
    const expiryAt = (expiryMicros: bigint) =>
      planCreateToken(state, { userId: 1, name: "ci", tokenHash: "x", expiryMicros }, now, tokensMax).expiryAtMicros;
    expect([1n, 0n, u64Max, u64Max - 1n].map(expiryAt)).toEqual([BigInt(now) + 1n, 0n, 0n, u64Max]);
  });

  test("a token is found by its hash until it, or its user, is deleted", () => {
    const state = sampleState();
    for (const [name, userId] of [
      ["ci", 1],
      ["old", 1],
      ["ci", 2],
    ] as const)
      addToken(state, name, 0n, userId);
    expect(findToken(state, "hash of ci of 1")).toMatchObject({ user: { id: 1 }, token: { name: "ci" } });
    apply(state, planUpdateUser(state, { user: numeric(1), name: "renamed" }));
    expect(findToken(state, "hash of ci of 1")?.user.name).toBe("renamed");
    apply(state, planDeleteToken(state, { userId: 1, name: "ci" }));
    expect(findToken(state, "hash of ci of 1")).toBeUndefined();
    expect(codeOf(() => planDeleteToken(state, { userId: 1, name: "ci" }))).toBe(20);
    expect(codeOf(() => planDeleteToken(state, { userId: 9, name: "ci" }))).toBe(20);
    apply(state, planDeleteUser(state, { user: numeric(1) }));
    expect([...state.tokensByHash.values()]).toEqual([{ userId: 2, name: "ci" }]);
    apply(state, planCreateUser(state, { ...base, name: "next" }, now));
    expect(tokensOf(state, 1)).toEqual([]);
  });

  test("the cleaner removes those whose time has come, and only those", () => {
    const state = sampleState();
    addToken(state, "soon", 10n);
    addToken(state, "later", 11n);
    addToken(state, "never", 0n, 2);
    expect(planExpireTokens(state, now + 9)).toBeUndefined();
    const event = planExpireTokens(state, now + 10);
    expect(event).toEqual({ kind: "tokensExpired", tokens: [{ userId: 1, name: "soon" }] });
    apply(state, event!);
    expect(findToken(state, "hash of soon of 1")).toBeUndefined();
    expect(tokensOf(state, 1).map((token) => isTokenExpired(token, now + 10))).toEqual([false]);
    expect(tokensOf(state, 2).map((token) => isTokenExpired(token, Number.MAX_SAFE_INTEGER))).toEqual([false]);
  });
});
