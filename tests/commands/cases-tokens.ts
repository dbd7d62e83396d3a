import { expect } from "bun:test";
import { numericId } from "../../src/protocol/identifier.ts";
import type { Stage, Table } from "./table.ts";
import { inactive, never } from "./world.ts";

const clockSkewMs = 20;
const hourMicros = 3_600_000_000n;

/** Expired by the time the reply is here. */
async function expiredToken({ world }: Stage, isOwnerInactive: boolean): Promise<string> {
  const account = await world.createAccount();
  const owner = await world.connectAs(account);
  const { token } = await owner.content("createPersonalAccessToken", { name: "short life", expiryMicros: 1n });
  if (isOwnerInactive) {
    const user = numericId(account.id);
    await world.root.value("updateUser", { user, username: undefined, statusCode: inactive });
  }
  // The clocks of two shards differ by up to a few milliseconds (platform/clock.ts).
  await Bun.sleep(clockSkewMs);
  return token;
}

const isRawToken = (token: string) => /^[A-Za-z0-9+/]{67}=$/.test(token);

function isInAnHour(expiryAtMicros: bigint): boolean {
  const leftMicros = expiryAtMicros - BigInt(Date.now()) * 1000n;
  return leftMicros > hourMicros - 60_000_000n && leftMicros <= hourMicros;
}

export const tokenCases: Pick<
  Table,
  "getPersonalAccessTokens" | "createPersonalAccessToken" | "deletePersonalAccessToken" | "loginWithPersonalAccessToken"
> = {
  getPersonalAccessTokens: {
    begins: "none",
    ordinary: {
      what: "the own tokens",
      by: "newcomer",
      request: () => undefined,
      async before({ caller }) {
        await caller.value("createPersonalAccessToken", { name: "for an hour", expiryMicros: hourMicros });
        await caller.value("createPersonalAccessToken", { name: "for ever", expiryMicros: never });
      },
      reply: () => [
        { name: "for an hour", expiryAtMicros: isInAnHour },
        { name: "for ever", expiryAtMicros: 0n },
        { name: "world", expiryAtMicros: 0n },
      ],
    },
    more: [
      {
        what: "nothing without tokens",
        by: "newcomer",
        request: () => undefined,
        async before({ caller }) {
          await caller.value("deletePersonalAccessToken", { name: "world" });
        },
      },
    ],
    violations: [{ error: 20, what: "the user was deleted", by: "ghost", request: () => undefined }],
  },

  createPersonalAccessToken: {
    begins: "name",
    ordinary: {
      what: "a raw token with which its owner logs in",
      by: "newcomer",
      request: () => ({ name: "abc", expiryMicros: hourMicros }),
      reply: () => ({ token: isRawToken }),
    },
    more: [
      {
        what: "a name of 30 bytes; another user has the same",
        by: "newcomer",
        async request({ world }) {
          const name = "t".repeat(30);
          await world.guestCaller.ask("createPersonalAccessToken", { name, expiryMicros: 0n });
          return { name, expiryMicros: 0n };
        },
        reply: () => ({ token: isRawToken }),
      },
    ],
    violations: [
      { error: 50, what: "a name of 2 bytes", by: "ghost", request: () => ({ name: "ab", expiryMicros: 0n }) },
      {
        error: 50,
        what: "a name of 31 bytes",
        by: "guest",
        request: () => ({ name: "t".repeat(31), expiryMicros: 0n }),
      },
      { error: 20, what: "the user was deleted", by: "ghost", request: () => ({ name: "world", expiryMicros: 0n }) },
      { error: 51, what: "name taken", by: "guest", request: () => ({ name: "world", expiryMicros: hourMicros }) },
    ],
  },

  deletePersonalAccessToken: {
    begins: "name",
    ordinary: {
      what: "the token is gone",
      by: "newcomer",
      request: () => ({ name: "world" }),
      async after({ caller }) {
        expect(await caller.value("getPersonalAccessTokens", undefined)).toBeUndefined();
      },
    },
    violations: [
      { error: 20, what: "unknown name", by: "guest", request: () => ({ name: "unknown" }) },
      { error: 20, what: "the user was deleted", by: "ghost", request: () => ({ name: "world" }) },
    ],
  },

  loginWithPersonalAccessToken: {
    begins: "name",
    ordinary: {
      what: "the number of the token's owner",
      by: "anonymous",
      request: ({ world }) => ({ token: world.guest.token }),
      reply: ({ world }) => ({ userId: world.guest.id }),
      async after({ world, caller }) {
        expect(await caller.value("getMe", undefined)).toMatchObject({ userId: world.guest.id });
      },
    },
    violations: [
      { error: 20, what: "unknown token", by: "anonymous", request: () => ({ token: "t".repeat(68) }) },
      { error: 20, what: "a character across its fourth byte", by: "anonymous", request: () => ({ token: "abcé-" }) },
      {
        error: 54,
        what: "expired, also of an inactive user",
        by: "anonymous",
        request: async (stage) => ({ token: await expiredToken(stage, true) }),
      },
      {
        error: 54,
        what: "expired",
        by: "anonymous",
        request: async (stage) => ({ token: await expiredToken(stage, false) }),
      },
      {
        error: 47,
        what: "of an inactive user",
        by: "anonymous",
        async request({ world }) {
          const { id, token } = await world.createAccount();
          await world.root.value("updateUser", { user: numericId(id), username: undefined, statusCode: inactive });
          return { token };
        },
      },
      {
        error: 100,
        what: "the session's user was deleted",
        by: "ghost",
        request: ({ world }) => ({ token: world.guest.token }),
      },
      {
        error: 100,
        what: "the heartbeat was missed",
        by: "stale",
        request: ({ world }) => ({ token: world.guest.token }),
      },
    ],
  },
};
