// The answer of a poll as JSON (spec HA 5.3), written from the bytes of the messages without an object per message. A large
// answer is made while the client takes it, in memory that all answers share: forty clients that read nothing must not fill
// the memory.
//
// The runtime's server copies what a direct stream writes before `write` returns (a reader in this process may get the shared
// memory itself). What other kinds of streams enqueue it takes later, when another answer may have written there.
import type { PollReply } from "../../../server/index.ts";
import { AnswerPieces } from "./answer-pieces.ts";
import { JsonBytes } from "./json-bytes.ts";
import { textBytesMax } from "./message-pieces.ts";

/** Answers up to this size of messages are made at once. */
const wholeBytesMax = 1024 * 1024;
/** A client that has taken more than this reads: the system's buffers take about half of it. */
const unreadBytesMax = 8 * 1024 * 1024;

const jsonHeaders = { "content-type": "application/json" };

// Both are shared by all answers: only used until the next await.
/** For clients that read. Grows to the text of the largest answer that is made at once, a few mebibytes. */
const fastText = new JsonBytes(wholeBytesMax, { makesStrings: true });
/** Without garbage, however much is made of it. */
const frugalText = new JsonBytes(2 * textBytesMax);

/**
 * The answer; the read is released when its bytes are no longer needed, also when the client goes away. `onSent` is told the
 * size of each piece that the client takes of a large answer; a small one has its size in a header.
 */
export function pollResponse(reply: PollReply, onSent: (sizeBytes: number) => void): Response {
  const { read } = reply;
  const pieces = new AnswerPieces(reply);
  if (read.sizeBytes > wholeBytesMax) return new Response(stream(pieces, reply, onSent), { headers: jsonHeaders });
  try {
    fastText.clear();
    while (!pieces.isDone) pieces.writeNext(fastText);
    // The runtime copies the bytes at once.
    return new Response(fastText.written, { headers: { ...jsonHeaders, "content-length": String(fastText.length) } });
  } finally {
    read.release();
  }
}

function stream(pieces: AnswerPieces, { read }: PollReply, onSent: (sizeBytes: number) => void): ReadableStream {
  let isReleased = false;
  let sentBytes = 0;
  const release = () => {
    if (!isReleased) read.release();
    isReleased = true;
  };
  return new ReadableStream({
    type: "direct",
    /** Called once; the connection is cut when it throws. */
    async pull(controller) {
      try {
        while (!pieces.isDone && !isReleased) {
          const text = sentBytes < unreadBytesMax ? frugalText : fastText;
          text.clear();
          pieces.writeNext(text);
          sentBytes += text.length;
          onSent(text.length);
          const written = controller.write(text.written);
          // A client that takes everything at once must not keep the others waiting until it has it all.
          if (typeof written === "number") await nextTurn();
          else await written;
        }
        controller.end();
      } finally {
        release();
      }
    },
    cancel: release,
  });
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
