// Limits of the protocol (spec BP 2.3, 4.3, 4.4, 4.8). Codecs enforce only what the byte layout itself limits; ranges of
// values are checked by the handler of a command, because their error depends on login and permissions (spec BP 2.9).

/** Largest text behind a one-byte length: names, identifiers, passwords. */
export const nameBytesMax = 255;

/** Largest payload of every command except send messages. */
export const payloadBytesMax = 10 * 1024 * 1024;

/** Largest payload of send messages: what the length field can announce. */
export const sendPayloadBytesMax = 2 ** 32 - 5;

/** Largest payload of one message; more is TooBigMessagePayload (4022). */
export const messagePayloadBytesMax = 64_000_000;

/** Largest user headers of one message; more is TooBigUserHeaders (4017). */
export const userHeadersBytesMax = 100_000;

/** User name, else InvalidUsername (43). */
export const userNameBytesMin = 3;
export const userNameBytesMax = 50;

/** Password, else InvalidPassword (44). */
export const passwordBytesMin = 3;
export const passwordBytesMax = 100;

/** Name of a personal access token, else InvalidPersonalAccessTokenName (50). */
export const tokenNameBytesMin = 3;
export const tokenNameBytesMax = 30;

/** Most partitions in one create topic or create partitions request, else TooManyPartitions (2015). */
export const partitionsPerRequestMax = 1000;

/** Largest key of messages-key partitioning: its length is one byte. */
export const partitionKeyBytesMax = 255;

/** Largest key or value of a user header. */
export const userHeaderFieldBytesMax = 255;

/** Largest u64: "never" as an expiry, "unlimited" as a topic size. */
export const u64Max = 2n ** 64n - 1n;

/** User id of a client that is not logged in (spec BP 3.16). */
export const noUserId = 2 ** 32 - 1;
