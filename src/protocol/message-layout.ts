// Byte positions of what the hot path reads and writes without a codec. The same message layout is used in send requests,
// in poll replies and on disk (spec BP 3.7).

/** Inside one message; the payload follows the header, the user headers follow the payload (spec BP 3.7). */
export const MessageLayout = {
  /** u64; XXH3-64 of every byte from `checksumStart` to the end of the message (spec BP 3.10). */
  checksum: 0,
  /** First byte that the checksum covers. */
  checksumStart: 8,
  /** u128; 0 in a request = let the server choose. */
  id: 8,
  /** u64 */
  offset: 24,
  /** u64, µs; server time of the append. */
  timestamp: 32,
  /** u64, µs; client time. */
  originTimestamp: 40,
  /** u32 */
  userHeadersLength: 48,
  /** u32 */
  payloadLength: 52,
  /** u64; 0 */
  reserved: 56,
  /** Start of the payload. */
  payload: 64,
} as const;

/** Size of a message header. */
export const messageHeaderBytes = 64;

/** Inside one index row of a send request (spec BP 3.8). */
export const IndexRowLayout = {
  /** u32; 0, else NonZeroOffset (4031). */
  relativeOffset: 0,
  /** u32; sum of the sizes of the messages up to and including this one. */
  endPosition: 4,
  /** u64; 0, else NonZeroTimestamp (4032). */
  timestamp: 8,
} as const;

/** Size of an index row. */
export const indexRowBytes = 16;

/** Inside the reply of poll messages; it is at least this long, also without messages (spec BP 4.5). */
export const PollReplyLayout = {
  /** u32 */
  partitionId: 0,
  /** u64; current offset of the partition. */
  currentOffset: 4,
  /** u32 */
  messagesCount: 12,
  /** Start of the messages. */
  messages: 16,
} as const;

/** Size of the head of a poll reply. */
export const pollReplyHeadBytes = 16;
