// Where passwords are checked and hashed, for all shards and transports: one at a time, in turns (fair-queue.ts), later after
// failures (failures.ts). An Argon2 hash takes some 20 ms of a processor, so this runs on a thread of its own: neither an
// event loop nor the threads that read and sync files ever work at one.
//
// A try counts when its turn comes, whether or not its client is still there, so that hanging up early gains nothing. What
// was right is remembered: the same password needs no hash, and where it logged in lately, from the same address with the
// same name, no turn either, as long as next to nothing was wrong there.
import type { PasswordMemory } from "../../security/password.ts";
import { Failures } from "./failures.ts";
import { FairQueue } from "./fair-queue.ts";
import type { DeskAnswer, DeskRequest } from "./messages.ts";
import { hostOf, networkOf } from "./network.ts";
import { RecentKeys } from "./recent-keys.ts";

/** All that wait. */
export const waitingMax = 4096;
/** Of one network: as many as a fleet that comes back. */
export const waitingOfNetworkMax = 1024;
/** The same while the network has to wait its longest for its failures. */
export const waitingOfSlowedNetworkMax = 16;

const freeFailures = 3;
/** A guess a second, however many connections guess. */
const networkBrake = { freeFailures, firstDelayMs: 100, delayMsMax: 1000 } as const;
/** Of a user name, for networks that have not logged in with it: many networks may guess together. */
const nameBrake = { freeFailures: 10, firstDelayMs: 100, delayMsMax: 5000 } as const;

export interface LoginDeskOptions {
  /** Any monotonic clock. */
  readonly nowMs: () => number;
  /** Both may take their time. */
  readonly verify: (password: string, passwordHash: string) => boolean;
  readonly hash: (password: string) => string;
  readonly memory: PasswordMemory;
  /** Calls back later: when what has arrived by then is in, and not before `delayMs` have passed. */
  readonly schedule: (call: () => void, delayMs: number) => void;
}

interface Entry {
  readonly network: string;
  /** Tries of one address, or those with one name that logged in from there. */
  readonly lane: string;
  readonly request: DeskRequest;
  readonly answer: (answer: DeskAnswer) => void;
}

export class LoginDesk {
  readonly #options: LoginDeskOptions;
  readonly #queue = new FairQueue<Entry>(waitingMax);
  readonly #ofNetworks = new Failures(networkBrake);
  readonly #ofNames = new Failures(nameBrake);
  /** With a name from an address that logged in with it. */
  readonly #ofKnown = new Failures(networkBrake);
  /** Addresses and networks with the names that they have logged in with. */
  readonly #known = new RecentKeys();
  #turnAtMs = Number.POSITIVE_INFINITY;
  #nobodysHash: string | undefined;

  constructor(options: LoginDeskOptions) {
    this.#options = options;
  }

  get waitingCount(): number {
    return this.#queue.count;
  }

  /** Calls `answer` once, now or later. */
  ask(request: DeskRequest, answer: (answer: DeskAnswer) => void): void {
    const nowMs = this.#options.nowMs();
    const host = hostOf(request.address);
    const network = networkOf(host);
    const entry = { network, lane: this.#laneOf(host, request), request, answer };
    if (this.#isKnownAtOnce(entry, nowMs)) {
      answer({ kind: "right" });
      return;
    }
    const ofNetworkMax = this.#isSlowed(network, nowMs) ? waitingOfSlowedNetworkMax : waitingOfNetworkMax;
    const refused = this.#queue.add(entry, ofNetworkMax);
    refused?.answer({ kind: "refused" });
    this.#turnAt(nowMs);
  }

  #isSlowed(network: string, nowMs: number): boolean {
    return this.#ofNetworks.delayMs(network, nowMs) >= networkBrake.delayMsMax;
  }

  #laneOf(host: string, request: DeskRequest): string {
    if (request.kind === "hash") return `hashes of ${host}`;
    if (request.kind === "wrongToken") return host;
    const own = pair(host, request.name);
    return this.#known.has(own, this.#options.nowMs()) ? own : host;
  }

  /** Only few may be wrong there, or an answer that comes at once would tell which of many guesses is right. */
  #isKnownAtOnce(entry: Entry, nowMs: number): boolean {
    const { request, lane } = entry;
    if (request.kind !== "password" || lane !== pair(hostOf(request.address), request.name)) return false;
    if (this.#queue.countOf(entry) + this.#ofKnown.countOf(lane, nowMs) > freeFailures) return false;
    return this.#isRemembered(request);
  }

  #isRemembered({ password, passwordHash }: Extract<DeskRequest, { kind: "password" }>): boolean {
    return passwordHash !== undefined && this.#options.memory.isRight(password, passwordHash);
  }

  #readyAtMs({ network, request }: Entry, nowMs: number): number {
    if (request.kind === "hash") return 0; // somebody with the right to it
    if (request.kind === "wrongToken") return this.#ofNetworks.readyAtMs(network, nowMs);
    const own = pair(hostOf(request.address), request.name);
    // It may have become known while it waited.
    if (this.#known.has(own, nowMs)) return this.#ofKnown.readyAtMs(own, nowMs);
    const ofNetworkMs = this.#ofNetworks.readyAtMs(network, nowMs);
    if (this.#known.has(pair(network, request.name), nowMs)) return ofNetworkMs;
    return Math.max(ofNetworkMs, this.#ofNames.readyAtMs(request.name, nowMs));
  }

  #turnAt(atMs: number): void {
    if (atMs >= this.#turnAtMs) return;
    this.#turnAtMs = atMs;
    this.#options.schedule(
      () => {
        if (this.#turnAtMs !== atMs) return; // an earlier turn has come in between
        this.#turnAtMs = Number.POSITIVE_INFINITY;
        this.#turn();
      },
      Math.max(0, atMs - this.#options.nowMs()),
    );
  }

  /** Answers until something took its time: then others may come in first. */
  #turn(): void {
    for (;;) {
      const nowMs = this.#options.nowMs();
      const taken = this.#queue.take(nowMs, (entry) => this.#readyAtMs(entry, nowMs));
      if (taken.entry === undefined) {
        if (taken.readyAtMs < Number.POSITIVE_INFINITY) this.#turnAt(taken.readyAtMs);
        return;
      }
      const { request, answer } = taken.entry;
      const isRemembered = request.kind === "password" && this.#isRemembered(request);
      answer(this.#answerOf(taken.entry, isRemembered));
      if (isRemembered || request.kind === "wrongToken") continue;
      this.#turnAt(this.#options.nowMs());
      return;
    }
  }

  #answerOf({ network, request }: Entry, isRemembered: boolean): DeskAnswer {
    try {
      if (request.kind === "hash") return { kind: "hashed", passwordHash: this.#options.hash(request.password) };
      if (request.kind === "wrongToken") {
        this.#failedIn(network, this.#options.nowMs());
        return { kind: "wrong" };
      }
      const isRight = isRemembered || this.#verify(request);
      if (isRight) this.#succeeded(network, request);
      else this.#failed(network, request);
      return { kind: isRight ? "right" : "wrong" };
    } catch (error) {
      return { kind: "failed", reason: error instanceof Error ? (error.stack ?? error.message) : String(error) };
    }
  }

  #verify({ password, passwordHash }: Extract<DeskRequest, { kind: "password" }>): boolean {
    const { verify, hash, memory } = this.#options;
    if (passwordHash === undefined) {
      // An answer's time must not tell whether a name exists.
      this.#nobodysHash ??= hash(crypto.randomUUID());
      verify(password, this.#nobodysHash);
      return false;
    }
    const isRight = verify(password, passwordHash);
    if (isRight) memory.remember(password, passwordHash);
    return isRight;
  }

  /** Forgives nothing but what was wrong with this name from this address: others may be guessing beside it. */
  #succeeded(network: string, { address, name }: Extract<DeskRequest, { kind: "password" }>): void {
    const nowMs = this.#options.nowMs();
    const own = pair(hostOf(address), name);
    this.#ofKnown.forget(own);
    this.#known.add(own, nowMs);
    this.#known.add(pair(network, name), nowMs);
  }

  #failed(network: string, { address, name }: Extract<DeskRequest, { kind: "password" }>): void {
    const nowMs = this.#options.nowMs();
    const own = pair(hostOf(address), name);
    this.#failedIn(network, nowMs);
    if (this.#known.has(own, nowMs)) this.#ofKnown.failed(own, nowMs);
    if (!this.#known.has(pair(network, name), nowMs)) this.#ofNames.failed(name, nowMs);
  }

  /** What waits of a network that guesses is not to wait for as many seconds. */
  #failedIn(network: string, nowMs: number): void {
    this.#ofNetworks.failed(network, nowMs);
    if (!this.#isSlowed(network, nowMs)) return;
    for (const { answer } of this.#queue.shrink(network, waitingOfSlowedNetworkMax)) answer({ kind: "refused" });
  }
}

/** No address has a space. */
function pair(place: string, name: string): string {
  return `${place} ${name}`;
}
