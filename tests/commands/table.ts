// The table: for each of the 47 commands what an ordinary request is and what it is answered with, and every error that the
// specification documents for it and that a client can provoke (spec BP 4), in the order of the checks.
import type { CommandName } from "../../src/protocol/codes.ts";
import type { Caller, ReplyOf, RequestOf } from "./caller.ts";
import { groupCases } from "./cases-groups.ts";
import { loginCases } from "./cases-logins.ts";
import { offsetCases } from "./cases-offsets.ts";
import { partitionCases } from "./cases-partitions.ts";
import { pollCases } from "./cases-polls.ts";
import { sendCases } from "./cases-sends.ts";
import { streamCases } from "./cases-streams.ts";
import { systemCases } from "./cases-system.ts";
import { tokenCases } from "./cases-tokens.ts";
import { topicCases } from "./cases-topics.ts";
import { userCases } from "./cases-users.ts";
import type { Expected } from "./expected.ts";
import type { Scene, World } from "./world.ts";

/**
 * Who asks. "guest": a user without permissions. "newcomer": another one, new. "member": root, as the only member of the scene's
 * group. "ghost": a user that has been deleted since. "stale": root, after its heartbeat was missed.
 */
export type Role = "root" | "guest" | "newcomer" | "anonymous" | "member" | "ghost" | "stale";

export interface Stage {
  readonly world: World;
  readonly scene: Scene;
  readonly caller: Caller;
}

export interface Success<N extends CommandName> {
  readonly what: string;
  /** "root" if not given. */
  readonly by?: Role;
  /** Makes the request; root may prepare what it needs. */
  request(stage: Stage): RequestOf<N> | Promise<RequestOf<N>>;
  /** What the caller does before. */
  before?(stage: Stage): Promise<void>;
  /** Not given: an empty payload. */
  reply?(stage: Stage, request: RequestOf<N>): Expected<ReplyOf<N>>;
  /** Effects: throws if something is not as it should be after the command. */
  after?(stage: Stage, request: RequestOf<N>): Promise<void>;
}

export interface Violation<N extends CommandName> {
  /** Number of the error that is to come, although the request often violates what is checked later, too. */
  readonly error: number;
  readonly what: string;
  /** "root" if not given. */
  readonly by?: Role;
  /** Bytes: a payload that no codec would write. */
  request(stage: Stage): RequestOf<N> | Uint8Array | Promise<RequestOf<N> | Uint8Array>;
}

export interface Entry<N extends CommandName> {
  /** The kind of the request's first field, for requests that are malformed there. "none": the payload is not looked at. */
  readonly begins: "none" | "number" | "name" | "identifier" | "consumer" | "send";
  /** Succeeds for root in a fresh scene. */
  readonly ordinary: Success<N>;
  readonly more?: readonly Success<N>[];
  readonly violations: readonly Violation<N>[];
}

export type Table = { readonly [N in CommandName]: Entry<N> };

export const table: Table = {
  ...systemCases,
  ...userCases,
  ...loginCases,
  ...tokenCases,
  ...pollCases,
  ...sendCases,
  ...offsetCases,
  ...streamCases,
  ...topicCases,
  ...partitionCases,
  ...groupCases,
};
