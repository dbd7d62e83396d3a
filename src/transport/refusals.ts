// What a request is refused for as soon as its size is known, before any of its payload is taken.
import { IggyError, toIggyError } from "../protocol/errors.ts";
import { payloadBytesMax } from "../protocol/limits.ts";
import {
  isLoggedIn,
  requireLogin,
  requireLoginHolds,
  requireSomewhere,
  requireWritable,
  type Session,
} from "../server/index.ts";
import { arenaFrameBytesMax, type Shard } from "../shard/index.ts";
import { anonymousPayloadBytesMax } from "./session-limits.ts";

/** Of anything but a send. Undefined: it may come. `payloadBytes` is negative when the announced length is below 4. */
export function refusalOfRequest(session: Session, payloadBytes: number): IggyError | undefined {
  if (payloadBytes < 0 || payloadBytes > payloadBytesMax) return new IggyError("InvalidCommand");
  if (!isLoggedIn(session) && payloadBytes > anonymousPayloadBytesMax) return new IggyError("Unauthenticated");
  return undefined;
}

/** Of a send. Undefined: it may come. `payloadBytes` is negative when the announced length is below 4. */
export function refusalOfSend(
  shard: Shard,
  session: Session,
  payloadBytes: number,
  requestBytesMax: number,
): IggyError | undefined {
  try {
    if (payloadBytes < 0) throw new IggyError("InvalidCommand");
    requireLogin(session);
    requireLoginHolds(session);
    requireWritable(session);
    if (payloadBytes > requestBytesMax) throw new IggyError("InvalidCommand");
    // Who may send nothing is to take no memory; for small sends that is found out when they are whole.
    if (payloadBytes > arenaFrameBytesMax) requireSomewhere(shard, session, "sendMessages");
    return undefined;
  } catch (error) {
    return toIggyError(error);
  }
}
