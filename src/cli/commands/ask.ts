// The question before something goes that holds messages.

import { countText } from "../output/words.ts";
import type { Session } from "../session.ts";

/** What is about to go. */
export interface Loss {
  /** "delete" or "purge". */
  readonly verb: string;
  readonly messagesCount: bigint;
  /** It may be fewer. */
  readonly isMost?: boolean;
  readonly place: string;
  /** What goes beside the messages: "the offsets of 1 group". */
  readonly more?: string | undefined;
}

export const notDone = "Nothing is done: the question was not answered with yes.";

/** Whether to go on: asked only of who sits at a terminal, only where something is lost, and not with --yes. */
export async function mayGo(session: Session, loss: Loss): Promise<boolean> {
  const { verb, messagesCount, isMost = false, place, more } = loss;
  const { questions, options } = session;
  if (messagesCount === 0n || options.yes || !questions.canAsk) return true;
  const most = isMost ? "at most " : "";
  const beside = more === undefined ? "" : ` and ${more}`;
  const what = `This removes ${most}${countText(messagesCount, "message")} of ${place}${beside}.`;
  return await questions.confirm(`${what} ${verb.charAt(0).toUpperCase()}${verb.slice(1)}?`);
}
