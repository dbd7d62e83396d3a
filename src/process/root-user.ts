// The first user (spec SB 1.7).
import type { Environment } from "../config/environment.ts";
import { type MetadataLog, rootUserId, type User } from "../metadata/index.ts";
import type { Logger } from "../observability/log.ts";
import type { Clock } from "../platform/clock.ts";
import { passwordBytesMax, passwordBytesMin, userNameBytesMax, userNameBytesMin } from "../protocol/limits.ts";
import { UserStatusCode } from "../protocol/records/enumerations.ts";
import { generatePassword, verifyPassword } from "../security/password.ts";
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

const environmentNames = "IGGY_ROOT_USERNAME and IGGY_ROOT_PASSWORD";
/** What everybody knows. */
const defaultRoot = { username: "iggy", password: "iggy" } as const;

export function isDefaultRoot({ username, password }: RootCredentials): boolean {
  return username === defaultRoot.username && password === defaultRoot.password;
}

/**
 * Credentials for the root user, in case it has to be created or reset: from the environment, from the default when asked for,
 * else `iggy` with a generated password. `isGenerated`: the password must be shown, once. Throws `RootCredentialsError`.
 */
export function rootCredentials(
  environment: Environment,
  { withDefaults, isReset }: { readonly withDefaults: boolean; readonly isReset: boolean },
): RootCredentials & { readonly isGenerated: boolean } {
  const username = environment.IGGY_ROOT_USERNAME || undefined;
  const password = environment.IGGY_ROOT_PASSWORD || undefined;
  if (username !== undefined) requireSize("IGGY_ROOT_USERNAME", username, userNameBytesMin, userNameBytesMax);
  if (password !== undefined) requireSize("IGGY_ROOT_PASSWORD", password, passwordBytesMin, passwordBytesMax);
  if (username !== undefined && password !== undefined) {
    return { username, password, isReset, givenBy: environmentNames, isGenerated: false };
  }
  // Whose password is reset has a name already.
  if (!isReset && (username !== undefined || password !== undefined)) {
    throw new RootCredentialsError(
      "IGGY_ROOT_USERNAME and IGGY_ROOT_PASSWORD must both be set or both be missing; only one of them is set",
    );
  }
  if (password === undefined && withDefaults) {
    return { ...defaultRoot, isReset, givenBy: "--with-default-root-credentials", isGenerated: false };
  }
  return {
    username: username ?? defaultRoot.username,
    password: password ?? generatePassword(),
    isReset,
    givenBy: password === undefined ? undefined : environmentNames,
    isGenerated: password === undefined,
  };
}

export interface RootUserOptions {
  readonly clock: Clock;
  readonly hashPassword: (password: string) => string;
  readonly log: Logger;
  readonly auditLog: Logger;
  /** Names are none of the log's business. */
  readonly hidesNames: boolean;
}

/**
 * Creates the root user as the first entry of the metadata where there is none; gives the one that is there a new password
 * where that is asked for, and else says in the log when somebody has given other credentials than it has. True where its
 * password was set now.
 */
export async function prepareRootUser(
  metadataLog: MetadataLog,
  credentials: RootCredentials | undefined,
  options: RootUserOptions,
): Promise<boolean> {
  if (credentials === undefined) return false;
  const root = metadataLog.state.users.byId.get(rootUserId);
  if (root === undefined) {
    createRootUser(metadataLog, credentials, options);
    return true;
  }
  if (credentials.isReset) {
    await resetRootUser(metadataLog, root, credentials, options);
    return true;
  }
  if (credentials.givenBy !== undefined) warnOfOtherCredentials(root, credentials, options.log);
  return false;
}

function createRootUser(
  metadataLog: MetadataLog,
  { username, password }: RootCredentials,
  { clock, hashPassword, log }: RootUserOptions,
): void {
  metadataLog.append({
    kind: "userCreated",
    userId: rootUserId,
    name: username,
    passwordHash: hashPassword(password),
    status: UserStatusCode.active,
    createdAtMicros: clock.nowMicros(),
    permissions: allPermissions,
  });
  log.info("created the root user", { username });
}

/** Durable when it resolves. The root user is active then, and everything that it had open has ended. */
async function resetRootUser(
  metadataLog: MetadataLog,
  root: User,
  { username, password }: RootCredentials,
  { hashPassword, log, auditLog, hidesNames }: RootUserOptions,
): Promise<void> {
  metadataLog.append({ kind: "passwordChanged", userId: rootUserId, passwordHash: hashPassword(password) });
  if (root.status !== UserStatusCode.active) {
    metadataLog.append({ kind: "userUpdated", userId: rootUserId, status: UserStatusCode.active });
  }
  await metadataLog.sync();
  const user = hidesNames ? rootUserId : root.name;
  auditLog.warn("the password of the root user was set anew", { user, by: "--reset-root-password" });
  if (username !== root.name) log.info("the root user keeps its name", { user });
}

function warnOfOtherCredentials(root: User, { username, password, givenBy }: RootCredentials, log: Logger): void {
  if (username === root.name && verifyPassword(password, root.passwordHash)) return;
  log.warn(
    `the credentials of ${givenBy} are not those of the root user, which exists already: they are ignored; ` +
      "--reset-root-password gives it that password",
  );
}

function requireSize(name: string, text: string, bytesMin: number, bytesMax: number): void {
  const sizeBytes = new TextEncoder().encode(text).byteLength;
  if (sizeBytes >= bytesMin && sizeBytes <= bytesMax) return;
  throw new RootCredentialsError(`${name} must have ${bytesMin} to ${bytesMax} bytes; it has ${sizeBytes}`);
}
