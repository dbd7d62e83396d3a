// Limits and sizes of the storage layer, each with its reason.

/** A batch of this size is written at once: a call of its own costs little against its bytes. */
export const writeAtOnceBytes = 32 * 1024;

/**
 * Room is set aside ahead of a log that has this many bytes: writes into it take two thirds of the time of writes that grow
 * the file (1 MB: 105 against 170 µs, ext4). Small partitions set nothing aside.
 */
export const reserveFromBytes = 2 * 1024 * 1024;

/** As much as the log has, up to this much: at most half of a log's blocks are unused. */
export const reserveStepBytesMax = 64 * 1024 * 1024;

/** Index rows wait in memory until there are this many bytes of them; the log is the truth, rows can be made again. */
export const pendingRowsBytesMax = 64 * 1024;

/** Largest run of messages in one reply; frames have 32-bit lengths and a reply must fit into memory. */
export const replyBytesMax = 512 * 1024 * 1024;

/** An index row holds end positions as 32-bit numbers (spec SB 3.3). */
export const segmentBytesMax = 2 ** 32 - 1;

/** How far before the checkpoint recovery starts to look at the log: slack for a checkpoint that was right too early. */
export const checkpointSlackBytes = 1024 * 1024;

/**
 * Longest payload and user headers that can stand in a log: their limits (spec SB 4.1), each longer by nonce and tag under
 * server-side encryption (spec SB 4.9). A length above is garbage.
 */
export const payloadBytesMax = 64_000_000 + 28;
export const userHeadersBytesMax = 100_000 + 28;

/** Largest message that can stand in a log, with its header. */
export const messageBytesMax = 64 + payloadBytesMax + userHeadersBytesMax;

/**
 * A search behind damage may check this many bytes of what looks like messages for each byte that it passes: content that
 * is made to look like them costs time in proportion, no more. Real messages need one.
 */
export const searchWorkPerByte = 8;

/** How many of the ends that the index gives to the messages behind damage are tried before each byte is looked at. */
export const storedEndsTried = 16;

/**
 * Most offsets that may be missing between two messages that follow each other, besides those that the bytes between them
 * have room for: logs of the original have such gaps, and those that once ended before they should.
 */
export const missingOffsetsMax = 64 * 1024;

/** A read may wait for this many verifications, besides two for each segment: then something is wrong. */
export const verificationsMin = 8;

/** Separate verified ranges remembered per segment; more than a few readers in unverified data at once are rare. */
export const verifiedRangesMax = 8;

/**
 * Most ids that the duplicate filter of one partition remembers, also where the configuration says that there is no limit
 * (`max_entries` 0, spec SB 1.4): at 36 bytes each, 36 MiB and no more.
 */
export const idFilterEntriesMax = 1024 * 1024;

/** A filter starts with room for this many ids and doubles: most partitions take few messages within the expiry. */
export const idFilterEntriesMin = 16;

/** The ids of messages that were there before a restart are read in pieces of this size: other work runs between them. */
export const recoveredIdsReadBytes = 256 * 1024;

/** Encrypted messages are read from the disk and decrypted in slices of this size: other work runs between them. */
export const decryptSliceBytes = 1024 * 1024;

/** What recovery copies or writes anew goes in pieces of this size. */
export const tailCopyBytes = 256 * 1024;

/**
 * A clock that goes back by more than this was wrong before: messages are dated by it again, in a new segment. Up to this, which
 * is what time services correct, messages keep the time of the one before for so long.
 */
export const clockStepBackMicrosMax = 60_000_000;
