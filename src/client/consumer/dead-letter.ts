// A message that no handler could take, as it goes to another topic: bytes and headers as they were, and why.

import type { HeaderField } from "../../protocol/user-headers.ts";
import type { HeaderValue } from "../topic/headers.ts";
import type { Message } from "../topic/message.ts";

/** Where dead letters go: a topic of bytes, by its `send`, which resolves when they are stored. */
export interface DeadLetterTopic {
  send(message: DeadLetter): Promise<unknown>;
}

export interface DeadLetter {
  readonly value: Uint8Array;
  readonly headers: Readonly<Record<string, HeaderValue | HeaderField>>;
}

const textEncoder = new TextEncoder();
/** Bytes that a header value may have. */
const headerBytesMax = 255;

/** `attempts`: how often the handler was called. Headers whose keys are no text can not go along. */
export function deadLetterOf(
  message: Message<unknown>,
  { stream, topic }: { readonly stream: string; readonly topic: string },
  error: unknown,
  attempts: number,
): DeadLetter {
  const headers: Record<string, HeaderValue | HeaderField> = {};
  for (const { key, value } of message.headers.entries()) if (key.kind === "string") headers[key.value] = value;
  headers["dlq-reason"] = headerText(error instanceof Error ? `${error.name}: ${error.message}` : String(error));
  headers["dlq-stream"] = headerText(stream);
  headers["dlq-topic"] = headerText(topic);
  headers["dlq-partition"] = message.partitionId;
  headers["dlq-offset"] = message.offset;
  headers["dlq-attempts"] = attempts;
  return { value: message.payload, headers };
}

/** As much of a text as a header holds, without half a character at the end. */
function headerText(text: string): string {
  const bytes = new Uint8Array(headerBytesMax);
  const { read } = textEncoder.encodeInto(text, bytes);
  return text.slice(0, read) || "-";
}
