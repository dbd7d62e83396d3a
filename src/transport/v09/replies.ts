// From a reply of the dispatch, or what it threw, to the bytes of a frame of 0.9 (spec P9 2.3, 2.4, 6.1, 7).
import { toIggyError } from "../../protocol/errors.ts";
import { clientIdOf, encodeEviction, headerBytes, operationOf, writeReplyHeader } from "../../protocol/v09/headers.ts";
import { protocolVersion } from "../../protocol/v09/protocol-version.ts";
import { encodeRefusal, successSectionBytes } from "../../protocol/v09/result-section.ts";
import { Eviction, type Exchange09, isPollReply, isVerdict, type Reply, type Session } from "../../server/index.ts";
import type { Output } from "../output.ts";
import { writeRecords } from "./record-writer.ts";

const window = { newest: protocolVersion, oldest: protocolVersion };

/** Sends a successful reply; undefined is the empty one. True for a poll whose reply was small. */
export function writeReply09(output: Output, exchange: Exchange09, reply: Reply | undefined): boolean {
  if (reply !== undefined && isPollReply(reply)) return writeRecords(output, exchange.header, reply);
  const start = headerBytes + (isFramed(exchange) ? successSectionBytes : 0);
  const frame = new Uint8Array(start + (reply?.byteLength ?? 0));
  const operation = replyOperationOf(exchange);
  writeReplyHeader(frame, 0, exchange.header, { operation, status: 0, bodyBytes: frame.byteLength - headerBytes });
  if (reply !== undefined) frame.set(reply, start);
  output.write(frame);
  return false;
}

/** Answers a request that failed. "ends": the connection is of no use any more. */
export function writeError09(
  output: Output,
  exchange: Exchange09,
  session: Session,
  thrown: unknown,
): "stays" | "ends" {
  const { header } = exchange;
  if (thrown instanceof Eviction) {
    output.write(encodeEviction(clientIdOf(header), thrown.reason, window));
    return "stays";
  }
  const error = toIggyError(thrown);
  const isRecordGone = error.errorName === "StaleClient" || error.errorName === "ClientNotFound";
  if (isRecordGone || session.isLoginOver) {
    output.write(encodeEviction(clientIdOf(header), session.isLoginOver ? "sessionError" : "staleClient"));
    return "ends";
  }
  const hasVerdict = isVerdict(exchange.request, error.errorName);
  const body = hasVerdict ? encodeRefusal(error.code) : undefined;
  const frame = new Uint8Array(headerBytes + (body?.byteLength ?? 0));
  const fields = { operation: replyOperationOf(exchange), status: hasVerdict ? 0 : error.code };
  writeReplyHeader(frame, 0, header, { ...fields, bodyBytes: body?.byteLength ?? 0 });
  if (body !== undefined) frame.set(body, headerBytes);
  output.write(frame);
  return "stays";
}

function isFramed({ request }: Exchange09): boolean {
  return request.kind === "register" || (request.kind === "command" && request.isFramed);
}

function replyOperationOf({ header, request }: Exchange09): number {
  return request.kind === "command" ? request.replyOperation : operationOf(header);
}
