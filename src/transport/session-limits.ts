// Limits of one connection, whatever its transport.

/** Payload of anything but a send before login: enough for a login with long version and context strings. */
export const anonymousPayloadBytesMax = 64 * 1024;

/** Pipelined sends of one connection that are under way at the same time. */
export const sendsUnderWayMax = 256;

/** Bytes that are kept of a connection whose turn it is not; more and its socket is paused. */
export const backlogBytesMax = 256 * 1024;

/**
 * Bytes that are kept of a WebSocket client without a login, of what is not whole or waits for its turn: what TCP would keep,
 * and the handshake.
 */
export const anonymousMessageBytesMax = anonymousPayloadBytesMax + backlogBytesMax + 64 * 1024;

/** A refused frame up to this size is read and thrown away, so that the connection stays in step; a larger one closes it. */
export const discardedPayloadBytesMax = 16 * 1024 * 1024;

/** How long a connection that is being closed may still send before it is cut. */
export const lingerMs = 1000;
/** The same for a client that has nothing under way when the server stops: it may send something in this very moment. */
export const idleLingerMs = 100;

/** While memory for frames is short: a half-received frame this far behind the slowest pace closes its connection. */
export const stalledFrameMs = 10_000;
/** 64 KiB/s. */
export const slowestBytesPerMs = 64;
/** And one that has been under way for so long meanwhile, whatever its pace. */
export const heldFrameMs = 60_000;
