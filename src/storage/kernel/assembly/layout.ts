// Byte positions inside a message (spec BP 3.7), an index row (spec BP 3.8), a batch record of 0.9 and its frames (spec
// P9 8.2), and what the kernel refuses.

export const messageChecksum: usize = 0;
export const messageId: usize = 8;
export const messageOffset: usize = 24;
export const messageTimestamp: usize = 32;
export const messageOriginTimestamp: usize = 40;
export const messageHeadersLength: usize = 48;
export const messagePayloadLength: usize = 52;
export const messageReserved: usize = 56;
export const messageHeaderSizeBytes: u64 = 64;

export const rowRelativeOffset: usize = 0;
export const rowEndPosition: usize = 4;
export const rowTimestamp: usize = 8;
export const rowSizeBytes: usize = 16;

export const recordPartitionId: usize = 0;
export const recordBaseOffset: usize = 8;
export const recordBaseTimestamp: usize = 16;
export const recordOriginTimestamp: usize = 24;
export const recordLength: usize = 32;
export const recordChecksum: usize = 40;
export const recordMessagesCount: usize = 48;
export const recordReserved: usize = 52;
export const recordHeaderSizeBytes: u64 = 256;

export const frameChecksum: usize = 0;
export const frameId: usize = 8;
export const frameOffsetDelta: usize = 24;
export const frameTimestampDelta: usize = 28;
export const frameHeadersLength: usize = 32;
export const framePayloadLength: usize = 36;
export const frameReserved: usize = 40;
export const frameHeaderSizeBytes: u64 = 48;

export const payloadMaxBytes: u32 = 64_000_000;
export const userHeadersMaxBytes: u32 = 100_000;
