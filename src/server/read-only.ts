// Sessions that may only read: the console's, where its reader or the configuration asks for that. It is enforced here, in front
// of every handler, so that no page has to be trusted with it.
import { decode } from "../protocol/codec.ts";
import { CommandCode } from "../protocol/codes.ts";
import { IggyError } from "../protocol/errors.ts";
import { pollMessagesRequestCodec } from "../protocol/message/poll-messages.ts";
import { isRead } from "../protocol/read-codes.ts";
import type { Session } from "./session.ts";

/** For a session that may only read. Throws Unauthorized (41) for what changes something, be it an offset by auto-commit. */
export function requireRead(code: number, payload: Uint8Array): void {
  if (isRead(code)) return;
  if (code === CommandCode.pollMessages && !decode(pollMessagesRequestCodec, payload).autoCommit) return;
  throw new IggyError("Unauthorized");
}

/** Throws Unauthorized (41) where the session may only read: for sends, which are refused before their payload is taken. */
export function requireWritable(session: Session): void {
  if (session.isReadOnly) throw new IggyError("Unauthorized");
}
