// What access tokens rest on for as long as the process runs: the secrets that sign them, and the users for whom other issuers
// vouch. It is settled when the broker starts; what works with it is loaded when the first request comes.
import type { KeyObject } from "node:crypto";
import type { Config } from "../../../config/schema/index.ts";
import { needsKeyPair, readTokenKeys } from "../../../config/token-keys.ts";
import { systemRandom } from "../../../platform/random.ts";
import type { UserLogin } from "../../../server/index.ts";

type JwtConfig = Config["http"]["jwt"];

export interface TokenGround {
  readonly encodingKey: Uint8Array | KeyObject;
  readonly decodingKey: Uint8Array | KeyObject;
  /**
   * When the users for which trusted issuers vouch were created, by their numbers: such a number is given again after a
   * deletion, and means nobody from then on.
   */
  readonly vouchedFor: ReadonlyMap<number, number>;
}

const secretBytes = 64;

/** `loginOf`: what a login of the user would be now; undefined for one that does not exist. Throws TokenKeyError. */
export function groundOf(config: JwtConfig, loginOf: (userId: number) => UserLogin | undefined): TokenGround {
  const vouchedFor = new Map<number, number>();
  for (const { userId } of config.trustedIssuers) {
    const login = loginOf(userId);
    if (login !== undefined) vouchedFor.set(userId, login.createdAtMicros);
  }
  return { ...keysOf(config), vouchedFor };
}

/**
 * A key pair for RS…. Else secrets: one serves for both if only one is set; without any, tokens end with the process (spec
 * HA 4.3). Throws TokenKeyError.
 */
function keysOf(config: JwtConfig): Pick<TokenGround, "encodingKey" | "decodingKey"> {
  if (needsKeyPair(config)) {
    const { privateKey, publicKey } = readTokenKeys(config);
    return { encodingKey: privateKey, decodingKey: publicKey };
  }
  const { encodingSecret, decodingSecret } = config;
  if (encodingSecret === "" && decodingSecret === "") {
    const key = new Uint8Array(secretBytes);
    systemRandom.fill(key);
    return { encodingKey: key, decodingKey: key };
  }
  const encoding = config.useBase64Secret ? "base64" : "utf8";
  return {
    encodingKey: Buffer.from(encodingSecret || decodingSecret, encoding),
    decodingKey: Buffer.from(decodingSecret || encodingSecret, encoding),
  };
}
