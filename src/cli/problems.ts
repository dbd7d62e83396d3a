// From an error to a sentence, to what to do about it, and to the exit code.

import type { Client } from "../client/index.bun.ts";
import { type ErrorName, IggyError } from "../protocol/errors.ts";
import type { Identifier } from "../protocol/identifier.ts";
import type { Right } from "./command.ts";
import { named, whatIsMissing } from "./missing.ts";
import { Problem } from "./problem.ts";
import type { Target } from "./target.ts";
import { UsageError } from "./usage-error.ts";

export const ExitCode = {
  done: 0,
  failed: 1,
  usage: 2,
  unreachable: 3,
  noRight: 4,
  missing: 5,
  damage: 6,
  interrupted: 130,
} as const;

/** What is known about where an error came from. */
export interface Circumstances {
  readonly target: Target | undefined;
  readonly client: Client | undefined;
  /** Of the command line. */
  readonly args: Readonly<Record<string, unknown>>;
  readonly right: Right | undefined;
  /** Who was meant to log in; undefined for a token. */
  readonly username: string | undefined;
}

const missingErrors: readonly ErrorName[] = [
  "ResourceNotFound",
  "StreamIdNotFound",
  "StreamNameNotFound",
  "TopicIdNotFound",
  "TopicNameNotFound",
  "PartitionNotFound",
  "ConsumerGroupIdNotFound",
  "ConsumerGroupNameNotFound",
  "ConsumerOffsetNotFound",
  "ClientNotFound",
  "SegmentNotFound",
];

/** Of them, those that a user gets too who has no right to see what is there. */
const hiddenErrors: readonly ErrorName[] = missingErrors.slice(0, missingErrors.indexOf("PartitionNotFound"));

function nameIn({ args }: Circumstances, key: string): string {
  const value = args[key];
  if (typeof value === "string") return `"${value}"`;
  return typeof value === "object" && value !== null && "kind" in value ? named(value as Identifier) : "of that name";
}

const sentences: Partial<Record<ErrorName, (facts: Circumstances) => string>> = {
  InvalidUsername: () => "a user name has 3 to 50 characters",
  // Of a login it is an AuthenticationError.
  InvalidCredentials: () => "the current password is not that",
  InvalidPassword: () => "a password has 3 to 100 characters",
  UserAlreadyExists: (facts) => `there is a user ${nameIn(facts, "username")} already`,
  CannotDeleteUser: () => "the root user cannot be deleted",
  CannotChangePermissions: () => "the permissions of the root user cannot be changed",
  InvalidPersonalAccessTokenName: () => "a token is called by 3 to 30 characters",
  PersonalAccessTokenAlreadyExists: (facts) => `there is a token ${nameIn(facts, "name")} already`,
  StreamNameAlreadyExists: (facts) => `there is a stream ${nameIn(facts, "name")} already`,
  TopicNameAlreadyExists: (facts) =>
    `there is a topic ${nameIn(facts, "name")} in stream ${nameIn(facts, "stream")} already`,
  ConsumerGroupNameAlreadyExists: (facts) => `there is a consumer group ${nameIn(facts, "name")} of that topic already`,
  InvalidStreamName: () => "the name of a stream has 1 to 255 bytes, and no blanks around it",
  InvalidTopicName: () => "the name of a topic has 1 to 255 bytes, and no blanks around it",
  TooManyPartitions: () => "at most 1000 partitions can be made at once",
  InvalidPartitionsCount: () => "the topic has fewer partitions than that",
  InvalidOffset: () => "the partition has no message with that offset yet",
  InvalidTopicSize: () => "the size of a topic must not be smaller than that of a segment",
  CannotDecryptData: () => "the key does not fit what the messages were encrypted with",
  InvalidCommand: () => "the server does not know this command, or one of its values",
  FeatureUnavailable: () => "this server, or this transport, cannot do that",
};

/** What happened, as a Problem. Asks the server where that helps. */
export async function problemOf(error: unknown, facts: Circumstances): Promise<Problem> {
  if (error instanceof Problem) return error;
  if (error instanceof UsageError) return new Problem(error.message, { exitCode: ExitCode.usage });
  if (error instanceof IggyError) return await ofIggyError(error, facts);
  return new Problem(textOf(error), { cause: error });
}

function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}

async function ofIggyError(error: IggyError, facts: Circumstances): Promise<Problem> {
  const { AuthenticationError, ConnectionError, ConnectionLostError } = await import("../client/index.bun.ts");
  const address = facts.target?.address ?? "the server";
  const code = `  (error ${error.code})`;
  if (error instanceof ConnectionError) return await unreachable(error.hint, facts.target);
  if (error instanceof AuthenticationError) {
    const who = facts.username === undefined ? "the token" : facts.username;
    return new Problem(`the login of ${who} at ${address} was refused: ${reasonOf(error)}${code}`, {
      exitCode: ExitCode.noRight,
    });
  }
  if (error instanceof ConnectionLostError || error.errorName === "Disconnected") {
    return new Problem(`the connection to ${address} was lost; whether the command was carried out is not known`, {
      exitCode: ExitCode.unreachable,
    });
  }
  switch (error.errorName) {
    case "Unauthorized":
      return notAllowed(facts, code);
    case "Unauthenticated":
      return new Problem(`${address} wants a login first${code}`, {
        exitCode: ExitCode.noRight,
        hints: ["whippet login, or -u NAME with the command"],
      });
  }
  if (missingErrors.includes(error.errorName)) {
    const missing = facts.client === undefined ? undefined : await whatIsMissing(facts.client, facts.args);
    return missing ?? new Problem(`${notToBeSeen(error, facts)}${code}`, { exitCode: ExitCode.missing });
  }
  const sentence = sentences[error.errorName]?.(facts) ?? lowered(error.message);
  return new Problem(`${sentence}${code}`, { cause: error });
}

/** Of something that is missing for a user who may not look for what is there: the server does not tell the one from the other. */
function notToBeSeen(error: IggyError, { username, client }: Circumstances): string {
  if (client === undefined || !hiddenErrors.includes(error.errorName)) return lowered(error.message);
  return `what is named here is not there, or ${username ?? "the user of this token"} may not see it`;
}

function lowered(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

function reasonOf(error: IggyError): string {
  switch (error.errorName) {
    case "InvalidCredentials":
      return "wrong name or password";
    case "UserInactive":
      return "the user is not active";
    case "ResourceNotFound":
      return "there is no such token";
    case "PersonalAccessTokenExpired":
      return "the token has expired";
    default:
      return lowered(error.cause instanceof Error ? error.cause.message : error.message);
  }
}

function notAllowed({ right, username }: Circumstances, code: string): Problem {
  const who = username ?? "the user of this token";
  if (right === undefined) return new Problem(`${who} may not do that${code}`, { exitCode: ExitCode.noRight });
  const needed = right.names.length === 1 ? right.names[0] : `one of ${right.names.join(", ")}`;
  return new Problem(`${who} may not ${right.what}; needed is ${needed}${code}`, { exitCode: ExitCode.noRight });
}

async function unreachable(hint: string, target: Target | undefined): Promise<Problem> {
  const address = target?.address ?? "the server";
  const exitCode = ExitCode.unreachable;
  if (target?.transport === "quic") {
    return new Problem(`no connection over QUIC to ${address} came about`, {
      exitCode,
      hints: ["Is it the port of QUIC, and is the certificate trusted?  --ca cert.pem --quic-server-name NAME"],
    });
  }
  if (/listens at|took the connection/.test(hint)) {
    const why = hint.includes("listens at") ? " (connection refused)" : "";
    return new Problem(`nobody answers at ${address}${why}`, {
      exitCode,
      hints: [
        "Is the server running?  whippet server          Another address?  --url iggy://HOST:PORT, or: whippet context list",
      ],
    });
  }
  if (hint.includes("is not for the name")) {
    const name = /[?&]tls_domain=([^&]+)/.exec(target?.url ?? "")?.[1] ?? address.replace(/:\d+$/, "");
    return new Problem(`the certificate of ${address} is not for the name ${name}`, {
      exitCode,
      hints: ["Name one that it has: --url 'iggy+tls://HOST:PORT?tls_domain=NAME'        Take any: --insecure"],
    });
  }
  if (hint.includes("is not trusted")) {
    return new Problem(`the certificate of ${address} is not trusted`, {
      exitCode,
      hints: ["Trust it: --ca cert.pem        Take any: --insecure"],
    });
  }
  if (target !== undefined && hint.includes("does not answer as") && (await speaksTls(target))) {
    const scheme = { tcp: "iggy+tls", ws: "iggy+wss", http: "iggy+https", quic: "iggy+quic" }[target.transport];
    return new Problem(`${address} speaks TLS; try --url ${scheme}://${address} --ca cert.pem`, { exitCode });
  }
  return new Problem(hint.replace(/\.$/, ""), { exitCode });
}

const tlsProbeMs = 1_000;

/** Whether a TLS handshake comes about at an address. */
async function speaksTls({ address, url }: Target): Promise<boolean> {
  if (/^(iggy\+)?(tls|wss|https):/.test(url)) return false;
  const { connect } = await import("node:tls");
  const colon = address.lastIndexOf(":");
  const host = address.slice(0, colon).replace(/^\[|\]$/g, "");
  return await new Promise<boolean>((resolve) => {
    const socket = connect({ host, port: Number(address.slice(colon + 1)), rejectUnauthorized: false });
    const end = (isTls: boolean) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(isTls);
    };
    const timer = setTimeout(() => end(false), tlsProbeMs);
    socket.once("secureConnect", () => end(true));
    socket.once("error", () => end(false));
  });
}
