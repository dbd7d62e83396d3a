// The sessions of one shard, whatever their transport: who is listed as a client, who leaves its groups when.
import { isAllowed, loginOf, type MetadataEvent, type User } from "../metadata/index.ts";
import { type Clock, systemClock } from "../platform/clock.ts";
import { numericId } from "../protocol/identifier.ts";
import type { ClientDetails } from "../protocol/records/client-header.ts";
import type { Transport } from "../protocol/records/enumerations.ts";
import type { Shard } from "../shard/index.ts";
import { isServerFault } from "./faults.ts";
import { isStale } from "./heartbeat.ts";
import { sourceOf } from "./logins/network.ts";
import { userOf } from "./rights.ts";
import { createSession, isLoggedIn, type Session, type SessionState, sessionStateOf, setUser } from "./session.ts";
import { WithoutLogin } from "./without-login.ts";

export interface SessionsOptions {
  readonly shard: Shard;
  /** One that never steps: clients must not be gone because the time was set. */
  readonly clock: Clock;
  /** A member that is gone could not be taken out of its groups. */
  readonly onFailure: (error: unknown) => void;
}

/** What a session asks for, by which its event is known. */
export interface TakenAway {
  /** Of the new password: no two hashes are the same, and another session may want another password at the same time. */
  readonly passwordHash?: string;
  /** Of the personal access token that is deleted. */
  readonly tokenName?: string;
}

/** Events after which logins may be over. */
const loginEnders: ReadonlySet<MetadataEvent["kind"]> = new Set([
  "userDeleted",
  "userUpdated",
  "passwordChanged",
  "tokenDeleted",
  "tokensExpired",
]);

export class Sessions {
  readonly #options: SessionsOptions;
  readonly #sessions = new Set<Session>();
  /** How the connection of a session is cut. */
  readonly #closers = new Map<Session, () => void>();
  /** Who is told of events, after what follows from them for sessions. */
  readonly #listeners = new Set<(event: MetadataEvent) => void>();
  /** Who is told when a login ends by itself. */
  readonly #enders = new Map<Session, () => void>();
  readonly #withoutLogin = new WithoutLogin();
  #lastNumber = 0;
  /** When it was last looked who is stale. */
  #checkedMicros: number | undefined;
  /** Sessions that have asked for something that may end logins. */
  readonly #asking = new Map<Session, TakenAway>();

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
      isLoginOver: false,
      hasJoinedGroups: false,
      groupTurns: new Map(),
      moves: 0,
      protocol: "0.8",
      sessionNumber: 0,
      lastChange: undefined,
    });
    this.#sessions.add(session);
    return session;
  }

  /** For a login of 0.9: above all that were given, also before a restart; µs of the clock at least (spec P9 4.4). */
  nextNumber(): number {
    this.#lastNumber = Math.max(this.#lastNumber + 1, systemClock.nowMicros());
    return this.#lastNumber;
  }

  /** From now on `close` is called if the connection has to end for want of a login. */
  closeBy(session: Session, close: () => void): void {
    this.#closers.set(session, close);
    if (!isLoggedIn(session)) this.#waitForLogin(session);
  }

  /** From now on `end` is called when the login of the session is over without its having asked for that. */
  whenLoginEnds(session: Session, end: () => void): void {
    this.#enders.set(session, end);
  }

  /** The session acts as this user from now on; `tokenHash`: of the personal access token that it showed. */
  logIn(session: Session, user: User, tokenHash?: string): void {
    if (this.#sessions.has(session) && session.user === undefined) {
      const source = sourceOf(session.address);
      this.#options.shard.counters.clients.loggedIn(source);
      this.#withoutLogin.delete(source, session);
    }
    if (session.user !== undefined && session.user.id !== user.id) this.#leaveGroups(session);
    setUser(session, loginOf(user, tokenHash));
  }

  /** The session acts as nobody from now on. */
  logOut(session: Session): void {
    const wasLoggedIn = session.user !== undefined;
    setUser(session, undefined);
    this.#leaveGroups(session); // who may not poll them keeps no partitions from others
    if (!wasLoggedIn || !this.#sessions.has(session)) return;
    this.#options.shard.counters.clients.loggedOut(sourceOf(session.address));
    this.#waitForLogin(session);
  }

  /** Cuts the connection of a listed client of this shard; whether there is one. */
  disconnect(clientId: number): boolean {
    for (const session of this.#sessions) {
      if (session.clientId !== clientId || session.isRecordGone) continue;
      const close = this.#closers.get(session);
      close?.();
      return close !== undefined;
    }
    return false;
  }

  /** Closes the connection that has been without a login for longest, of `source` or of the source with the most; false: none. */
  closeOldestWithoutLogin(source?: string): boolean {
    return this.#withoutLogin.closeOldest(source);
  }

  /** Closes the connections that have been without a login for longer; how many. */
  closeWithoutLogin(longerThanMs: number): number {
    return this.#withoutLogin.closeOlder(this.#options.clock.nowMicros() / 1000 - longerThanMs);
  }

  /** The connection is gone: it leaves its groups (spec SB 6.1). */
  close(session: Session): void {
    if (!this.#sessions.delete(session)) return;
    const source = sourceOf(session.address);
    this.#options.shard.counters.clients.closed(source, isLoggedIn(session));
    this.#asking.delete(session);
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
    this.#endIfOver(session); // what ends it may have come while it was on its way
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

  /**
   * Runs `change`, which takes away what the session itself logged in with: it stays logged in all the same, unlike others that
   * did so.
   */
  async staysThrough(session: Session, taken: TakenAway, change: () => Promise<unknown>): Promise<void> {
    this.#asking.set(session, taken);
    try {
      await change();
    } finally {
      this.#asking.delete(session);
    }
  }

  /** From now on `listener` is told of events that are applied to this shard's state; what is returned takes it back. */
  listen(listener: (event: MetadataEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** An event has been applied to this shard's state. */
  follow(event: MetadataEvent): void {
    this.#endWhatIsOver(event);
    for (const listener of this.#listeners) listener(event);
  }

  #endWhatIsOver(event: MetadataEvent): void {
    if (event.kind === "permissionsUpdated") this.#leaveForbiddenGroups(event.userId);
    if (!loginEnders.has(event.kind)) return;
    for (const [session, taken] of this.#asking) this.#keep(session, taken, event);
    for (const session of this.#sessions) this.#endIfOver(session);
  }

  #keep(session: Session, taken: TakenAway, event: MetadataEvent): void {
    const { users, tokensByHash } = this.#options.shard.state;
    const { user } = session;
    if (user === undefined || !("userId" in event) || event.userId !== user.id) return;
    if (event.kind === "passwordChanged" && event.passwordHash === taken.passwordHash) {
      session.user = { ...user, credentialsVersion: users.byId.get(user.id)?.credentialsVersion };
    }
    const isOwnToken = user.tokenHash !== undefined && !tokensByHash.has(user.tokenHash);
    if (event.kind === "tokenDeleted" && event.name === taken.tokenName && isOwnToken) {
      session.user = { ...user, tokenHash: undefined };
    }
  }

  #endIfOver(session: Session): void {
    if (!isLoggedIn(session) || userOf(this.#options.shard, session) !== undefined) return;
    session.isLoginOver = true;
    this.#drop(session);
    // It is as one that has not logged in: it makes room for others, and has to go.
    this.#options.shard.counters.clients.loggedOut(sourceOf(session.address));
    this.#waitForLogin(session);
    this.#enders.get(session)?.();
  }

  /** The client is there. */
  pinged(session: Session): void {
    session.heartbeatMicros = Math.max(session.heartbeatMicros, this.#options.clock.nowMicros());
  }

  /** The transport itself looks after the client's life, so that it need not ping. */
  isLookedAfter(session: Session): void {
    session.heartbeatMicros = Number.POSITIVE_INFINITY;
  }

  /**
   * To be called once in an interval: drops those that have not pinged for too long (spec SB 8.1); how many. When the call
   * comes late the process stood still, and pings may wait in the sockets: they are read first.
   */
  dropStale(intervalMicros: number): number {
    const nowMicros = this.#options.clock.nowMicros();
    const sinceMicros = nowMicros - (this.#checkedMicros ?? nowMicros);
    this.#checkedMicros = nowMicros;
    if (isStale({ heartbeatMicros: nowMicros - sinceMicros }, nowMicros, intervalMicros)) return 0;
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
      this.#withoutLogin.add(sourceOf(session.address), session, {
        sinceMs: this.#options.clock.nowMicros() / 1000,
        close,
      });
    }
  }

  #forget(source: string, session: Session): void {
    this.#withoutLogin.delete(source, session);
    this.#closers.delete(session);
    this.#enders.delete(session);
  }

  #drop(session: Session): void {
    session.isRecordGone = true;
    this.#leaveGroups(session);
  }

  /** Who may not poll a group any more would keep its partitions from others. */
  #leaveForbiddenGroups(userId: number): void {
    const { shard, onFailure } = this.#options;
    for (const session of this.#sessions) {
      if (session.user?.id !== userId || !session.hasJoinedGroups) continue;
      const user = userOf(shard, session);
      const { clientId } = session;
      for (const { streamId, topicId, groupId } of shard.state.groupsByClient.get(clientId) ?? []) {
        if (isAllowed(user, "consumerGroup", streamId, topicId)) continue;
        const request = { stream: numericId(streamId), topic: numericId(topicId), group: numericId(groupId) };
        shard.control({ kind: "leaveGroup", request, clientId }).catch((error: unknown) => {
          if (isServerFault(error)) onFailure(error); // else the group, or the membership, is gone already
        });
      }
    }
  }

  /** In any case after a join that is still on its way: both go through the same mailbox. */
  #leaveGroups(session: Session): void {
    if (!session.hasJoinedGroups) return;
    session.hasJoinedGroups = false;
    const { shard, onFailure } = this.#options;
    shard.control({ kind: "clientGone", clientId: session.clientId }).catch(onFailure);
  }
}
