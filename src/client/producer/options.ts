// What a program can choose of a producer, with the defaults.

export type ProducerOptions = {
  /** Ends the producer, and all that it has not sent, with `signal.reason`. */
  readonly signal?: AbortSignal;
  /** Chooses the partition of a message without `partitionId`; undefined: the next in turn. */
  readonly partitioner?: (
    message: { readonly key: Uint8Array | undefined },
    partitionsCount: number,
  ) => number | undefined;
  /** Longest wait for company (0: batches grow only while requests are under way). */
  readonly lingerMs?: number;
  /** Of a batch (1_000 messages, 1 MiB). */
  readonly batchMessagesMax?: number;
  readonly batchBytesMax?: number;
  /** Batches under way (4). */
  readonly inFlightMax?: number;
  /** Of all that is not acknowledged (32 MiB): there `ready` waits, and at twice that `send` fails. */
  readonly bufferBytesMax?: number;
  /** From `send` to the acknowledgement, all attempts (120_000). */
  readonly deliveryTimeoutMs?: number;
  /** What becomes of batches whose answer was lost: at least once, or at most once ("repeat"). */
  readonly onUncertain?: "repeat" | "reject";
  /** Stores the key of each message under this name. */
  readonly keyHeader?: string;
};

/** All but what has no default. */
export type ProducerSettings = Required<Omit<ProducerOptions, "signal" | "partitioner" | "keyHeader">> &
  Pick<ProducerOptions, "partitioner" | "keyHeader">;

const defaults = {
  lingerMs: 0,
  batchMessagesMax: 1_000,
  batchBytesMax: 1024 * 1024,
  inFlightMax: 4,
  bufferBytesMax: 32 * 1024 * 1024,
  deliveryTimeoutMs: 120_000,
  onUncertain: "repeat",
} as const;

const leasts = {
  lingerMs: 0,
  batchMessagesMax: 1,
  batchBytesMax: 1,
  inFlightMax: 1,
  bufferBytesMax: 1,
  deliveryTimeoutMs: 1,
} as const;

/** With the defaults; TypeError for a number that makes no sense. */
export function settingsOf({ signal: _, ...options }: ProducerOptions): ProducerSettings {
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const settings: ProducerSettings = { ...defaults, ...given };
  for (const name of Object.keys(leasts) as (keyof typeof leasts)[]) {
    if (!(settings[name] >= leasts[name]))
      throw new TypeError(`${name} is ${settings[name]}: ${leasts[name]} at least`);
  }
  return settings;
}
