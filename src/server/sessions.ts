// The sessions of one shard, whatever their transport: who is listed as a client, who leaves its groups when.
import type { MetadataEvent, User } from "../metadata/index.ts";
import type { Clock } from "../platform/clock.ts";
import type { ClientDetails } from "../protocol/records/client-header.ts";
import type { Transport } from "../protocol/records/enumerations.ts";
import type { Shard } from "../shard/index.ts";
import { isStale } from "./heartbeat.ts";
import { sourceOf } from "./logins/network.ts";
import { userOf } from "./rights.ts";
import { createSession, type Session, type SessionState, sessionStateOf, setUser } from "./session.ts";
import { WithoutLogin } from "./without-login.ts";

export interface SessionsOptions {
  readonly shard: Shard;
  readonly clock: Clock;
  /** A member that is gone could not be taken out of its groups. */
  readonly onFailure: (error: unknown) => void;
}

export class Sessions {
  readonly #options: SessionsOptions;
  readonly #sessions = new Set<Session>();
  /** How the connection of a session is cut. */
  readonly #closers = new Map<Session, () => void>();
  readonly #withoutLogin = new WithoutLogin();

  constructor(options: SessionsOptions) {
    this.#options = options;
  }

  /** A new connection. `address`: `ip:port`, IPv6 as `[ip]:port`. */
  open(transport: Transport, address: string): Session {
    const { shard, clock } = this.#options;
    shard.counters.clients.opened(sourceOf(address));
    const session = createSession({
      clientId: shard.counters.nextClientId(),
      transport,
      address,
      user: undefined,
      heartbeatMicros: clock.nowMicros(),
      isRecordGone: false,
      hasJoinedGroups: false,
      groupTurns: new Map(),
      moves: 0,
    });
    this.#sessions.add(session);
    return session;
  }

  /** From now on `close` is called if the connection has to end for want of a login. */
  closeBy(session: Session, close: () => void): void {
    this.#closers.set(session, close);
    if (session.user === undefined) this.#waitForLogin(session);
  }

  /** The session acts as this user from now on. */
  logIn(session: Session, user: User): void {
    if (this.#sessions.has(session) && session.user === undefined) {
      const source = sourceOf(session.address);
      this.#options.shard.counters.clients.loggedIn(source);
      this.#withoutLogin.delete(source, session);
    }
    setUser(session, user);
  }

  /** The session acts as nobody from now on. */
  logOut(session: Session): void {
    const wasLoggedIn = session.user !== undefined;
    setUser(session, undefined);
    if (!wasLoggedIn || !this.#sessions.has(session)) return;
    this.#options.shard.counters.clients.loggedOut(sourceOf(session.address));
    this.#waitForLogin(session);
  }

  /** Closes the connection that has been without a login for longest, of `source` or of the source with the most; false: none. */
  closeOldestWithoutLogin(source?: string): boolean {
    return this.#withoutLogin.closeOldest(source);
  }

  /** Closes the connections that have been without a login for longer; how many. */
  closeWithoutLogin(longerThanMs: number): number {
    return this.#withoutLogin.closeOlder(performance.now() - longerThanMs);
  }

  /** The connection is gone: it leaves its groups (spec SB 6.1). */
  close(session: Session): void {
    if (!this.#sessions.delete(session)) return;
    const source = sourceOf(session.address);
    this.#options.shard.counters.clients.closed(source, session.user !== undefined);
    this.#forget(source, session);
    this.#leaveGroups(session);
  }

  /** The connection moves to another shard, which goes on with what is returned. */
  release(session: Session): SessionState {
    this.#sessions.delete(session);
    this.#forget(sourceOf(session.address), session);
    return { ...sessionStateOf(session), moves: session.moves + 1 };
  }

  /** Goes on with a connection of another shard. */
  adopt(state: SessionState): Session {
    const session = createSession(state);
    this.#sessions.add(session);
    // Its user may have been deleted while it was on its way.
    if (session.user !== undefined && userOf(this.#options.shard, session) === undefined) this.#drop(session);
    return session;
  }

  clients(): ClientDetails[] {
    const listed: ClientDetails[] = [];
    for (const session of this.#sessions) if (!session.isRecordGone) listed.push(this.detailsOf(session));
    return listed;
  }

  detailsOf({ clientId, user, transport, address }: Session): ClientDetails {
    const consumerGroups = this.#options.shard.state.groupsByClient.get(clientId) ?? [];
    return {
      clientId,
      userId: user?.id,
      transport,
      address,
      consumerGroupsCount: consumerGroups.length,
      consumerGroups,
    };
  }

  /** An event has been applied to this shard's state. */
  follow(event: MetadataEvent): void {
    if (event.kind !== "userDeleted") return;
    for (const session of this.#sessions) {
      if (session.user?.id === event.userId && userOf(this.#options.shard, session) === undefined) this.#drop(session);
    }
  }

  /** Drops those that have not pinged for too long (spec SB 8.1); how many. */
  dropStale(intervalMicros: number): number {
    const nowMicros = this.#options.clock.nowMicros();
    let dropped = 0;
    for (const session of this.#sessions) {
      if (session.isRecordGone || !isStale(session, nowMicros, intervalMicros)) continue;
      this.#drop(session);
      dropped++;
    }
    return dropped;
  }

  #waitForLogin(session: Session): void {
    const close = this.#closers.get(session);
    if (close !== undefined) {
      this.#withoutLogin.add(sourceOf(session.address), session, { sinceMs: performance.now(), close });
    }
  }

  #forget(source: string, session: Session): void {
    this.#withoutLogin.delete(source, session);
    this.#closers.delete(session);
  }

  #drop(session: Session): void {
    session.isRecordGone = true;
    this.#leaveGroups(session);
  }

  /** In any case after a join that is still on its way: both go through the same mailbox. */
  #leaveGroups(session: Session): void {
    if (!session.hasJoinedGroups) return;
    session.hasJoinedGroups = false;
    const { shard, onFailure } = this.#options;
    shard.control({ kind: "clientGone", clientId: session.clientId }).catch(onFailure);
  }
}
