// A request of 0.9 whose reply is not written yet.
import { CommandCode } from "../../protocol/codes.ts";
import { commandCodeOf, headerBytes, operationOf } from "../../protocol/v09/headers.ts";
import { NewCommandCode, operationFor, type Request09, requestOf } from "../../protocol/v09/operations.ts";

export interface Exchange09 {
  /** The 256 bytes of the request, of which the reply repeats some. */
  readonly header: Uint8Array;
  readonly request: Request09;
  /** Command code, as 0.8 numbers them, for statistics and the log; 0: none. */
  readonly code: number;
}

const codes: Readonly<Record<string, number>> = { ...CommandCode, ...NewCommandCode };
const sendOperation = operationFor("sendMessages");

/** The header may be a view of memory that is used again. */
export function exchangeOf(header: Uint8Array): Exchange09 {
  const request = requestOf(operationOf(header), commandCodeOf(header));
  return { header: header.slice(0, headerBytes), request, code: codeOf(request) };
}

/** Whether a request header is that of a send. */
export function isSend09(header: Uint8Array): boolean {
  return operationOf(header) === sendOperation;
}

function codeOf(request: Request09): number {
  if (request.kind === "register") return CommandCode.loginUser;
  return request.kind === "command" ? (codes[request.name] ?? 0) : 0;
}
