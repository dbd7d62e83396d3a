// The door of the server layer.
export { emptyReply, isPollReply, type PollReply, type Reply } from "./command.ts";
export { commandTable } from "./command-table.ts";
export type { ServerContext } from "./context.ts";
export { dispatch, requireLogin } from "./dispatch.ts";
export { isServerFault } from "./faults.ts";
export { sendMessages } from "./send-messages.ts";
export { clientDetailsOf, createSession, type Session, type SessionState, sessionStateOf } from "./session.ts";
export { streamTotals } from "./views.ts";
