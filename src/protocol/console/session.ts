// What the console's page and the broker say to each other about who is signed in: JSON at /ui/api/hello and /ui/api/session.
// 64-bit numbers are decimal text, times are µs since the epoch.
import type { Permissions } from "../records/permissions.ts";

/** GET /ui/api/hello: what anybody may know. */
export type ConsoleHello = {
  /** Hash of the page's files: another one means that the broker has another version of the page. */
  readonly assets: string;
  /** `http.web_ui_label`. */
  readonly label: string;
  /** `http.web_ui_read_only`: every session is read-only. */
  readonly readOnly: boolean;
};

/** POST /ui/api/session. `readOnly`: a session that changes nothing. `renew`: goes on with the session of the cookie. */
export type ConsoleSignIn =
  | { readonly username: string; readonly password: string; readonly readOnly?: boolean }
  | { readonly token: string; readonly readOnly?: boolean }
  | { readonly renew: true };

/** GET and POST /ui/api/session. */
export type ConsoleSession = SignedIn | SignedOut;

export type SignedIn = {
  readonly user: { readonly id: number; readonly name: string };
  /** Null: none beyond the login itself. */
  readonly permissions: Permissions | null;
  /** How the streams and topics are called that the permissions name: who may only use one topic sees no list of them. */
  readonly named: readonly NamedStream[];
  readonly readOnly: boolean;
  /** The session ends then, unless it is renewed. */
  readonly expiresAt: string;
  /** From then on it is worth while to renew it. */
  readonly renewFrom: string;
  readonly broker: { readonly version: string; readonly startedAt: string; readonly retention: BrokerRetention };
};

export type NamedStream = {
  readonly streamId: number;
  readonly name: string;
  readonly topics: readonly { readonly topicId: number; readonly name: string }[];
};

/** What the broker removes by itself, and what topics have whose maker said nothing: µs and bytes, 2^64 - 1 is no limit. */
export type BrokerRetention = {
  /** Null: nothing is removed, whatever topics say. */
  readonly cleanerInterval: string | null;
  readonly messageExpiry: string;
  readonly maxTopicSize: string;
};

/** An answer of 200 as well: a browser would log a 401 as an error. */
export type SignedOut = { readonly user: null };

/** Code of the Close frame of a socket whose session is over. */
export const signedOutCloseCode = 4401;
