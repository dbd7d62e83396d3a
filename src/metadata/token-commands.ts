/** Commands on personal access tokens, planned as in `commands.ts` (spec BP 4.4; spec SB 7.5). */
import { IggyError } from "../protocol/errors.ts";
import { tokenNameBytesMax, tokenNameBytesMin, u64Max } from "../protocol/limits.ts";
import type { TokenCreated, TokenDeleted, TokensExpired } from "./events.ts";
import { requireUser } from "./lookups.ts";
import type { MetadataState, Token, TokenOwner, User } from "./state.ts";

export interface NewToken extends TokenOwner {
  /** BLAKE3 of the token's text, in hex. */
  readonly tokenHash: string;
  /** Life from now on, as the wire number: 0 and 2^64 - 1 = never. */
  readonly expiryMicros: bigint;
}

/**
 * Errors, in this order: 20 if the own user was deleted, PersonalAccessTokensLimitReached (52),
 * PersonalAccessTokenAlreadyExists (51). Expired tokens count until the cleaner has removed them.
 */
export function planCreateToken(
  state: MetadataState,
  request: NewToken,
  nowMicros: number,
  tokensPerUserMax: number,
): TokenCreated {
  const { userId, name, tokenHash, expiryMicros } = request;
  const user = requireOwner(state, userId);
  if (user.tokensByName.size >= tokensPerUserMax) {
    throw new IggyError("PersonalAccessTokensLimitReached", [userId, tokensPerUserMax]);
  }
  if (user.tokensByName.has(name)) throw new IggyError("PersonalAccessTokenAlreadyExists", [name, userId]);
  return { kind: "tokenCreated", userId, name, tokenHash, expiryAtMicros: expiryAt(nowMicros, expiryMicros) };
}

/** Errors: 20, for an unknown name and for an own user that was deleted. */
export function planDeleteToken(state: MetadataState, request: TokenOwner): TokenDeleted {
  const { userId, name } = request;
  if (!requireOwner(state, userId).tokensByName.has(name)) throw new IggyError("ResourceNotFound", [name]);
  return { kind: "tokenDeleted", userId, name };
}

/** All tokens that have expired, for the cleaner; undefined if there are none. */
export function planExpireTokens(state: MetadataState, nowMicros: number): TokensExpired | undefined {
  const tokens: TokenOwner[] = [];
  for (const { userId, name } of state.tokensByHash.values()) {
    const token = state.users.byId.get(userId)?.tokensByName.get(name);
    if (token !== undefined && isTokenExpired(token, nowMicros)) tokens.push({ userId, name });
  }
  return tokens.length === 0 ? undefined : { kind: "tokensExpired", tokens };
}

export function isTokenExpired(token: Token, nowMicros: number): boolean {
  return token.expiryAtMicros !== 0n && token.expiryAtMicros <= BigInt(nowMicros);
}

/** The tokens of a user in the order of their names. Errors: 20. */
export function tokensOf(state: MetadataState, userId: number): Token[] {
  const tokens = [...requireOwner(state, userId).tokensByName.values()];
  return tokens.sort((left, right) => (left.name < right.name ? -1 : 1));
}

/** 3 to 30 bytes, else InvalidPersonalAccessTokenName (50). */
export function requireTokenName(name: string): void {
  const sizeBytes = Buffer.byteLength(name, "utf8");
  if (sizeBytes < tokenNameBytesMin || sizeBytes > tokenNameBytesMax) {
    throw new IggyError("InvalidPersonalAccessTokenName");
  }
}

function requireOwner(state: MetadataState, userId: number): User {
  return requireUser(state, { kind: "numeric", value: userId });
}

/** A sum beyond the wire's u64 stays at its end, some 580,000 years from now. */
function expiryAt(nowMicros: number, expiryMicros: bigint): bigint {
  if (expiryMicros === 0n || expiryMicros === u64Max) return 0n;
  const at = BigInt(nowMicros) + expiryMicros;
  return at > u64Max ? u64Max : at;
}
