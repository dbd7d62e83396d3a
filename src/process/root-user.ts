// The first user (spec SB 1.7).
import type { Environment } from "../config/environment.ts";
import type { MetadataLog } from "../metadata/index.ts";
import type { Logger } from "../observability/log.ts";
import { systemClock } from "../platform/clock.ts";
import { passwordBytesMax, passwordBytesMin, userNameBytesMax, userNameBytesMin } from "../protocol/limits.ts";
import { UserStatusCode } from "../protocol/records/enumerations.ts";
import { generatePassword, hashPassword } from "../security/password.ts";
import type { RootCredentials } from "../shard/index.ts";

/** Permissions of root: all ten global rights (spec BP 3.11), nothing per stream. */
export const allPermissions = {
  global: {
    manageServers: true,
    readServers: true,
    manageUsers: true,
    readUsers: true,
    manageStreams: true,
    readStreams: true,
    manageTopics: true,
    readTopics: true,
    pollMessages: true,
    sendMessages: true,
  },
  streams: [],
};

export class RootCredentialsError extends Error {
  override readonly name = "RootCredentialsError";
}

/** What everybody knows. */
const defaultRoot: RootCredentials = { username: "iggy", password: "iggy" };

export function isDefaultRoot({ username, password }: RootCredentials): boolean {
  return username === defaultRoot.username && password === defaultRoot.password;
}

/**
 * Credentials for the root user, in case it has to be created: from the environment, from the default when asked for, else
 * `iggy` with a generated password. `isGenerated`: the password must be shown, once. Throws `RootCredentialsError`.
 */
export function rootCredentials(
  environment: Environment,
  withDefaults: boolean,
): RootCredentials & { readonly isGenerated: boolean } {
  const username = environment.IGGY_ROOT_USERNAME || undefined;
  const password = environment.IGGY_ROOT_PASSWORD || undefined;
  if (username !== undefined && password !== undefined) {
    requireSize("IGGY_ROOT_USERNAME", username, userNameBytesMin, userNameBytesMax);
    requireSize("IGGY_ROOT_PASSWORD", password, passwordBytesMin, passwordBytesMax);
    return { username, password, isGenerated: false };
  }
  if (username !== undefined || password !== undefined) {
    throw new RootCredentialsError(
      "IGGY_ROOT_USERNAME and IGGY_ROOT_PASSWORD must both be set or both be missing; only one of them is set",
    );
  }
  if (withDefaults) return { ...defaultRoot, isGenerated: false };
  return { username: "iggy", password: generatePassword(), isGenerated: true };
}

/** The first entry of the metadata, unless there is one. True when it was made now. */
export function createRootUser(
  metadataLog: MetadataLog,
  credentials: RootCredentials | undefined,
  log: Logger,
): boolean {
  if (metadataLog.state.users.byId.has(0) || credentials === undefined) return false;
  const { username, password } = credentials;
  metadataLog.append({
    kind: "userCreated",
    userId: 0,
    name: username,
    passwordHash: hashPassword(password),
    status: UserStatusCode.active,
    createdAtMicros: systemClock.nowMicros(),
    permissions: allPermissions,
  });
  log.info("created the root user", { username });
  return true;
}

function requireSize(name: string, text: string, bytesMin: number, bytesMax: number): void {
  const sizeBytes = new TextEncoder().encode(text).byteLength;
  if (sizeBytes >= bytesMin && sizeBytes <= bytesMax) return;
  throw new RootCredentialsError(`${name} must have ${bytesMin} to ${bytesMax} bytes; it has ${sizeBytes}`);
}
