// What a request of 0.9 asks for: the operation in its header, with operation 2 also the command code (spec P9 5).

import { CommandCode, type CommandName } from "../codes.ts";
import type { EvictionReasonName } from "./headers.ts";

/** Commands that 0.8 does not have (spec P9 9.2, 11.3). */
export const NewCommandCode = { describeOptions: 13, syncGroup: 606 } as const;

/** camelCase name of a command of 0.9. */
export type CommandName09 = CommandName | keyof typeof NewCommandCode;

/** Operations that are no command of their own. */
export const Operation = {
  /** Login by password or token, told by the body (register.ts). */
  register: 1,
  /** The command code in the header says what is asked for. */
  nonReplicated: 2,
} as const;

/** Commands with an operation of their own; they carry no code. */
const operations = {
  logoutUser: 3,
  createStream: 128,
  updateStream: 129,
  deleteStream: 130,
  purgeStream: 131,
  createTopic: 132,
  updateTopic: 133,
  deleteTopic: 134,
  purgeTopic: 135,
  createPartitions: 136,
  deletePartitions: 137,
  deleteSegments: 138,
  createConsumerGroup: 139,
  deleteConsumerGroup: 140,
  createUser: 141,
  updateUser: 142,
  deleteUser: 143,
  changePassword: 144,
  updatePermissions: 145,
  createPersonalAccessToken: 146,
  deletePersonalAccessToken: 147,
  joinConsumerGroup: 148,
  leaveConsumerGroup: 149,
  sendMessages: 160,
  storeConsumerOffset: 161,
  deleteConsumerOffset: 162,
} as const satisfies Partial<Record<CommandName, number>>;

const ownOperations: ReadonlyMap<string, number> = new Map(Object.entries(operations));

/** The reply to delete segments: clients look for a result section in 68, not in 138 (spec P9 5.3). */
const truncatePartition = 68;

/** Operations between servers; a client that sends one is sent away (spec P9 5.2). */
const serverOperationMin = 64;
const serverOperationMax = truncatePartition;

/** The logins of 0.8: they are register now (spec P9 5.1). */
const formerLogins: ReadonlySet<CommandName> = new Set(["loginUser", "loginWithPersonalAccessToken"]);

// Codes that mean something, but are not to be had in this way: the two logins under their new codes (they are register),
// and what only clusters need (spec P9 13).
const unavailableCodes: readonly number[] = [40, 45];

/** Whether the reply body of an operation begins with a result section (spec P9 6.1). */
export function isFramedOperation(operation: number): boolean {
  return (
    operation === Operation.register ||
    (operation >= serverOperationMin && operation <= serverOperationMax) ||
    (operation >= operations.createStream && operation <= operations.leaveConsumerGroup && operation !== 138) ||
    operation === operations.storeConsumerOffset ||
    operation === operations.deleteConsumerOffset
  );
}

/** Operation that a request for a command carries. */
export function operationFor(name: CommandName09): number {
  return ownOperations.get(name) ?? Operation.nonReplicated;
}

/** What a request asks for, or how it is refused. */
export type Request09 =
  | {
      readonly kind: "command";
      readonly name: CommandName09;
      /** Operation to write into the reply (spec P9 5.3). */
      readonly replyOperation: number;
      /** Whether the reply body begins with a result section. */
      readonly isFramed: boolean;
      /** Session 0 in the header is an error; not so for reads and logout (spec P9 4.4, 4.9). */
      readonly needsSession: boolean;
    }
  | { readonly kind: "register" }
  | { readonly kind: "refuse"; readonly error: "InvalidCommand" | "FeatureUnavailable" }
  | { readonly kind: "evict"; readonly reason: EvictionReasonName };

const unknown: Request09 = { kind: "refuse", error: "InvalidCommand" };
const unavailable: Request09 = { kind: "refuse", error: "FeatureUnavailable" };

function commandRequest(name: CommandName09): Request09 {
  const operation = operationFor(name);
  const replyOperation = name === "deleteSegments" ? truncatePartition : operation;
  const isFramed = isFramedOperation(replyOperation);
  const needsSession = operation !== Operation.nonReplicated && name !== "logoutUser";
  return { kind: "command", name, replyOperation, isFramed, needsSession };
}

const requestsByOperation: Request09[] = new Array(256).fill(unknown);
requestsByOperation[Operation.register] = { kind: "register" };
for (let operation = serverOperationMin; operation <= serverOperationMax; operation++) {
  requestsByOperation[operation] = { kind: "evict", reason: "operation" };
}
for (const name of Object.keys(operations) as (keyof typeof operations)[]) {
  requestsByOperation[operations[name]] = commandRequest(name);
}

const requestsByCode = new Map<number, Request09>();
for (const name of Object.keys(CommandCode) as CommandName[]) {
  const hasOwnOperation = ownOperations.has(name);
  requestsByCode.set(CommandCode[name], hasOwnOperation ? unavailable : commandRequest(name));
  if (formerLogins.has(name)) requestsByCode.set(CommandCode[name], { kind: "evict", reason: "malformedLogin" });
}
for (const name of Object.keys(NewCommandCode) as (keyof typeof NewCommandCode)[]) {
  requestsByCode.set(NewCommandCode[name], commandRequest(name));
}
for (const code of unavailableCodes) requestsByCode.set(code, unavailable);

/**
 * What a request header asks for. `code` counts with operation 2 only. An unknown operation or code is InvalidCommand (3),
 * a code that has an operation of its own FeatureUnavailable (5) (spec P9 5.1). The same object each time.
 */
export function requestOf(operation: number, code: number): Request09 {
  if (operation === Operation.nonReplicated) return requestsByCode.get(code) ?? unknown;
  return requestsByOperation[operation] ?? unknown;
}
