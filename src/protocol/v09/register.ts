// Register, operation 1: login and session in one (spec P9 4.2). A password login and a token login differ only in the shape of
// the body.
//
//   protocol version  u32, packed
//   SDK name          name
//   SDK version       name
//   user name         name       |  token  str8
//   password          str8       |
//   context           str32      |  context  str32

import { ByteReader } from "../byte-reader.ts";
import { recordCodec } from "../codec.ts";
import { IggyError } from "../errors.ts";
import { longStringCodec, nameCodec, shortStringCodec, u32Codec, u64Codec } from "../primitives.ts";
import { isAcceptedVersion } from "./protocol-version.ts";

/** What the body of a register can mean; at least one of the two logins is there, and the password is to be tried first. */
export type RegisterRequest = {
  /** Packed protocol version of the client. */
  readonly version: number;
  readonly sdkName: string;
  readonly sdkVersion: string;
  /** The lengths of name and password are not checked yet. */
  readonly password?: PasswordLogin;
  readonly token?: string;
};

export type PasswordLogin = { readonly username: string; readonly password: string };

/** `malformed` is eviction 15, `incompatible` eviction 14 with the window (spec P9 4.2, rows 1 to 3). */
export type RegisterResult =
  | { readonly kind: "register"; readonly request: RegisterRequest }
  | { readonly kind: "incompatible"; readonly version: number }
  | { readonly kind: "malformed" };

const clientCodec = recordCodec<Pick<RegisterRequest, "version" | "sdkName" | "sdkVersion">>({
  version: u32Codec,
  sdkName: nameCodec,
  sdkVersion: nameCodec,
});
const passwordCodec = recordCodec<PasswordLogin & { context: string }>({
  username: nameCodec,
  password: shortStringCodec,
  context: longStringCodec,
});
const tokenCodec = recordCodec<{ token: string; context: string }>({
  token: shortStringCodec,
  context: longStringCodec,
});

/** What `read` gives; undefined where the bytes do not fit it. */
function tried<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof IggyError) return undefined;
    throw error;
  }
}

type Logins = Pick<RegisterRequest, "password" | "token">;

/** The forms that the rest of the body fits. With `restBytesMax` 0 they have to use it up. */
function loginsOf(body: Uint8Array, position: number, restBytesMax: number): Logins {
  const fits = <T>(codec: { decode(reader: ByteReader): T }): T | undefined => {
    const reader = new ByteReader(body, position);
    const value = tried(() => codec.decode(reader));
    return reader.remaining <= restBytesMax ? value : undefined;
  };
  const password = fits(passwordCodec);
  const token = fits(tokenCodec)?.token;
  return {
    ...(password && { password: { username: password.username, password: password.password } }),
    ...(token !== undefined && { token }),
  };
}

const isNone = ({ password, token }: Logins) => password === undefined && token === undefined;

/**
 * Reads the body of a register. Both forms are given where both use up the body exactly. Where neither does, bytes after a
 * form are passed over, as the original does.
 */
export function parseRegister(body: Uint8Array): RegisterResult {
  const reader = new ByteReader(body);
  const client = tried(() => clientCodec.decode(reader));
  if (client === undefined) return { kind: "malformed" };
  if (!isAcceptedVersion(client.version)) return { kind: "incompatible", version: client.version };
  const exact = loginsOf(body, reader.position, 0);
  const logins = isNone(exact) ? loginsOf(body, reader.position, body.length) : exact;
  return isNone(logins) ? { kind: "malformed" } : { kind: "register", request: { ...client, ...logins } };
}

/** What a login is answered with, behind the result section (result-section.ts). */
export type RegisterReply = {
  readonly userId: number;
  /** Above 0 and below 2^63: some clients read it as signed. */
  readonly session: bigint;
  /** Packed. */
  readonly protocolVersion: number;
  /** At least one character: clients refuse an empty one. */
  readonly serverVersion: string;
};

export const registerReplyCodec = recordCodec<RegisterReply>({
  userId: u32Codec,
  session: u64Codec,
  protocolVersion: u32Codec,
  serverVersion: nameCodec,
});
