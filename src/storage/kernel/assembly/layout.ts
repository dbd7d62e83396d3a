// Byte positions inside a message (spec BP 3.7) and inside an index row (spec BP 3.8), and what the kernel refuses.

export const messageChecksum: usize = 0;
export const messageId: usize = 8;
export const messageOffset: usize = 24;
export const messageTimestamp: usize = 32;
export const messageHeadersLength: usize = 48;
export const messagePayloadLength: usize = 52;
export const messageReserved: usize = 56;
export const messageHeaderSizeBytes: u64 = 64;

export const rowRelativeOffset: usize = 0;
export const rowEndPosition: usize = 4;
export const rowTimestamp: usize = 8;
export const rowSizeBytes: usize = 16;

export const payloadMaxBytes: u32 = 64_000_000;
export const userHeadersMaxBytes: u32 = 100_000;
