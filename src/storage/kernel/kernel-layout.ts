/** Byte positions inside one message, the same on the wire and on disk (spec BP 3.7). */
export const MessageLayout = {
  checksum: 0,
  id: 8,
  offset: 24,
  timestamp: 32,
  userHeadersLength: 48,
  payloadLength: 52,
  reserved: 56,
  headerSizeBytes: 64,
} as const;

/** Byte positions inside one index row, the same on the wire and on disk (spec BP 3.8, SB 3.3). */
export const IndexRowLayout = {
  relativeOffset: 0,
  endPosition: 4,
  timestamp: 8,
  sizeBytes: 16,
} as const;
