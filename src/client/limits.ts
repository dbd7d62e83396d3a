// Limits of the client, each with its reason.

/** Largest reply payload that is taken: beyond any poll worth asking for, and a garbled length cannot ask for 4 GB. */
export const replyPayloadBytesMax = 1024 * 1024 * 1024;

/** How long a connection may take to be established; after that a silent host counts as unreachable. */
export const connectTimeoutMs = 10_000;

/** Frames up to this size are copied together, so that pipelined small requests cost one system call and not one each. */
export const mergedFrameBytesMax = 16 * 1024;

/** Most bytes that are copied together for one write. */
export const mergedWriteBytesMax = 64 * 1024;

/** Largest WebSocket message that is sent; half of the 16 MiB that servers commonly accept in one frame. */
export const webSocketMessageBytesMax = 8 * 1024 * 1024;

/** Commands of a client that are under way; more wait, so that a server that does not answer costs bounded memory. */
export const commandsInFlightMax = 1024;
export const commandBytesInFlightMax = 64 * 1024 * 1024;
