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
 * Largest message that can stand in a log: header, payload and user headers at their limits (spec SB 4.1), each of the
 * two longer by nonce and tag under server-side encryption (spec SB 4.9). A length above is garbage.
 */
export const messageBytesMax = 64 + 64_000_000 + 100_000 + 2 * 28;

/** Separate verified ranges remembered per segment; more than a few readers in unverified data at once are rare. */
export const verifiedRangesMax = 8;

/**
 * Most ids that the duplicate filter of one partition remembers, also where the configuration says that there is no limit
 * (`max_entries` 0, spec SB 1.4): at 36 bytes each, 36 MiB and no more.
 */
export const idFilterEntriesMax = 1024 * 1024;

/** A filter starts with room for this many ids and doubles: most partitions take few messages within the expiry. */
export const idFilterEntriesMin = 16;

/** Encrypted messages are read from the disk and decrypted in slices of this size: other work runs between them. */
export const decryptSliceBytes = 1024 * 1024;
