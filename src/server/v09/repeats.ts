// Changes of the metadata that a client of 0.9 asks for twice (spec P9 4.5). It counts them in each session: a number that is not
// above the last is no new request. The last one gets the answer that it got, whatever comes with it this time; of those before it
// no answer is kept. Sends and offsets are none of these: some clients give them all one number.
import { IggyError, toIggyError } from "../../protocol/errors.ts";
import { requestNumberOf } from "../../protocol/v09/headers.ts";
import { isServerFault } from "../faults.ts";
import { isPollReply, type Reply } from "../reply.ts";
import type { Session } from "../session.ts";
import type { Exchange09 } from "./exchange.ts";
import { isVerdict } from "./verdicts.ts";

/** Runs the request unless it is a repeat. Throws RequestAlreadyApplied (59) for one whose answer is not kept. */
export async function once(
  session: Session,
  { header, request }: Exchange09,
  run: () => Reply | Promise<Reply>,
): Promise<Reply> {
  const number = requestNumberOf(header);
  const last = session.lastChange;
  // Whose login has ended is to be told so.
  if (number === 0n || session.isLoginOver) return run();
  if (last !== undefined && number < last.number) throw new IggyError("RequestAlreadyApplied");
  if (last?.number === number) {
    if (last.reply === undefined) throw IggyError.ofCode(last.errorCode);
    return last.reply;
  }
  const { sessionNumber } = session;
  const keep = (reply: Uint8Array | undefined, errorCode: number) => {
    // Meanwhile the session may have ended.
    if (session.sessionNumber === sessionNumber) session.lastChange = { number, reply, errorCode };
  };
  try {
    const reply = await run();
    if (!isPollReply(reply)) keep(reply, 0);
    return reply;
  } catch (error) {
    // What was not tried, or failed for no fault of the request, may go well the next time.
    const { code, errorName } = toIggyError(error);
    if (!isServerFault(error) && isVerdict(request, errorName)) keep(undefined, code);
    throw error;
  }
}
