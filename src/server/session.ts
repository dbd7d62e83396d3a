// One connection as the commands see it. Lives on the shard that holds the connection.

import type { UserLogin } from "../metadata/index.ts";
import { IggyError } from "../protocol/errors.ts";
import type { Transport } from "../protocol/records/enumerations.ts";
import { Affinity } from "./affinity.ts";
import type { GroupTurns } from "./group-turns.ts";
import { SendRoute } from "./send-route.ts";
import type { PushTarget } from "./subscriptions/push-target.ts";
import type { Subscriptions } from "./subscriptions/state.ts";

export type { UserLogin };

/** The two protocols of Iggy's SDKs: frames of 0.8, and those of 0.9 with a header of 256 bytes. */
export type SpokenProtocol = "0.8" | "0.9";

/** A client that repeats a request by its number gets the answer once more, and nothing is done twice (spec P9 4.5). */
export interface LastChange {
  readonly number: bigint;
  /** Payload of the reply, or the error. */
  readonly reply: Uint8Array | undefined;
  readonly errorCode: number;
}

/** What moves with a connection from shard to shard: plain data. */
export interface SessionState {
  /** Unique among the clients of the process. */
  readonly clientId: number;
  readonly transport: Transport;
  /** `ip:port`, IPv6 as `[ip]:port`. */
  readonly address: string;
  /** Undefined while nobody is logged in. */
  user: UserLogin | undefined;
  /** Time of the last ping or of the connection (spec SB 8.1). */
  heartbeatMicros: number;
  /** Not in the list of clients any more: stale, or its login has ended (spec SB 7.1, 8.1). The socket stays open. */
  isRecordGone: boolean;
  /** The login has ended: its user was deleted or deactivated, or what it logged in with does not hold any more. */
  isLoginOver: boolean;
  /** Whether it ever asked to join a consumer group: only then is there anything to leave when it goes. */
  hasJoinedGroups: boolean;
  readonly groupTurns: GroupTurns;
  /** How often the connection has moved. */
  moves: number;
  /** What the client speaks: decided by its first bytes, and for good. */
  protocol: SpokenProtocol;
  /** Of the login of a client of 0.9; 0: none (spec P9 4.4). */
  sessionNumber: number;
  /** The last change of the metadata that a client of 0.9 asked for in this session, and what it was answered. */
  lastChange: LastChange | undefined;
}

export interface Session extends SessionState {
  readonly affinity: Affinity;
  readonly sendRoute: SendRoute;
  /** The request that is under way and waits for messages; a connection has one at most. */
  waiting: Waiting | undefined;
  /** Only what changes nothing is carried out (`read-only.ts`). Of sessions that stay on their shard. */
  isReadOnly: boolean;
  /** It is the console's, which is how the audit log names its way in. Of sessions that stay on their shard. */
  isOfConsole: boolean;
  /** Where messages are pushed to; undefined: nowhere. */
  pushTarget: PushTarget | undefined;
  /** What is pushed; undefined: nothing was ever subscribed. */
  subscriber: Subscriptions | undefined;
}

/** A request that may take its time. */
export interface Waiting {
  /** Somebody else's turn: it is answered now, with nothing. */
  overtaken(): void;
}

export function createSession(state: SessionState): Session {
  return {
    ...state,
    affinity: new Affinity(state.moves),
    sendRoute: new SendRoute(),
    waiting: undefined,
    isReadOnly: false,
    isOfConsole: false,
    pushTarget: undefined,
    subscriber: undefined,
  };
}

/** The part of a session that another shard goes on with. */
export function sessionStateOf(session: Session): SessionState {
  const {
    affinity: _a,
    sendRoute: _r,
    waiting: _w,
    isReadOnly: _o,
    isOfConsole: _c,
    pushTarget: _p,
    subscriber: _s,
    ...state
  } = session;
  return state;
}

/** From now on the session acts as this user; undefined: as nobody. */
export function setUser(session: Session, user: UserLogin | undefined): void {
  session.user = user;
  session.sessionNumber = 0;
  session.lastChange = undefined;
  session.sendRoute.forget(); // what was allowed was allowed to somebody else
  session.subscriber?.recheck();
}

/** Whether somebody is logged in, and may still be. */
export function isLoggedIn({ user, isLoginOver }: SessionState): boolean {
  return user !== undefined && !isLoginOver;
}

/** Throws ClientNotFound (100), which closes the connection (spec BP 2.7). */
export function requireRecord(session: Session): void {
  if (session.isRecordGone) throw new IggyError("ClientNotFound", [session.clientId]);
}

/** The same for commands about consumer groups: StaleClient (30). */
export function requireLiveMember(session: Session): void {
  if (session.isRecordGone) throw new IggyError("StaleClient");
}
