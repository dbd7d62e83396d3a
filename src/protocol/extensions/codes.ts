// Commands of our own, which neither 0.8 nor 0.9 of the original has (docs/protocol-extensions.md). Their codes lie far from
// those of both, so that none of theirs is ever taken for one of ours; the original answers each with InvalidCommand (3) and
// goes on (spec BP 2.9). They are requests in frames of 0.8.

/** Number of each command on the wire. */
export const ExtensionCode = {
  getFeatures: 200_000,
  pollWaiting: 200_001,
  sendWithReceipt: 200_002,
  joinWithAssignment: 200_003,
  subscribe: 200_004,
  addCredit: 200_005,
  unsubscribe: 200_006,
  followPartitions: 200_007,
  beginBackup: 200_020,
  keepBackup: 200_021,
  endBackup: 200_022,
} as const;

/** What the broker sends unasked, in the place where replies have their status: no error has these numbers. */
export const PushCode = {
  messages: 200_100,
  end: 200_101,
  partitions: 200_102,
} as const;

/** Whether a frame in the place of a reply is none: also of kinds that a later broker knows. */
export function isPushCode(status: number): boolean {
  return status >= 200_100 && status < 200_200;
}

/** camelCase name of a command of our own. */
export type ExtensionName = keyof typeof ExtensionCode;

const namesByCode = new Map<number, ExtensionName>();
for (const name of Object.keys(ExtensionCode) as ExtensionName[]) namesByCode.set(ExtensionCode[name], name);

/** Name of a code; undefined for a number that is no command of our own. */
export function extensionNameOf(code: number): ExtensionName | undefined {
  return namesByCode.get(code);
}
