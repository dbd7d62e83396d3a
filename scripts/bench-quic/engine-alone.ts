// The sidecar's engine without a broker behind it: every request is taken whole and answered from memory. What is left is
// what QUIC itself costs in this engine, with the streams as the broker's clients use them. Run by the sidecar's runtime. Arguments: files
// of the certificate and of its key, and of the frame that answers polls. First line on stdout: the port.
import { CommandCode } from "../../src/protocol/codes.ts";
import { IggyError } from "../../src/protocol/errors.ts";
import { decodeRequestHead, encodeErrorFrame, encodeReplyFrame, frameHeaderBytes } from "../../src/protocol/frame.ts";
import type { Engine, QuicConnection, QuicStream } from "../../src/transport/quic/engine.ts";

declare const Deno: Engine & {
  readTextFileSync(path: string): string;
  readFileSync(path: string): Uint8Array<ArrayBuffer>;
  readonly args: readonly string[];
};

const requestBytesMax = 2 * 1024 * 1024;
const userId = Uint8Array.of(1, 0, 0, 0);

const [certificatePath = "", keyPath = "", pollReplyPath = ""] = Deno.args;
const pollReply = Deno.readFileSync(pollReplyPath);
const okReply = encodeReplyFrame(new Uint8Array(0));
const loginReply = encodeReplyFrame(userId);
const unavailableReply = encodeErrorFrame(new IggyError("FeatureUnavailable").code);

function replyTo(code: number): Uint8Array {
  if (code === CommandCode.pollMessages) return pollReply;
  if (code === CommandCode.loginUser) return loginReply;
  if (code === CommandCode.getClusterMetadata) return unavailableReply;
  return okReply;
}

/** The request, whole, in the buffer that is given back for the next one. */
async function readRequest(stream: QuicStream, buffer: Uint8Array<ArrayBuffer>) {
  const reader = stream.readable.getReader({ mode: "byob" });
  let bytes = buffer;
  let filledBytes = 0;
  for (;;) {
    const { value, done } = await reader.read(new Uint8Array(bytes.buffer, filledBytes));
    if (value === undefined) throw new Error("the client took its request back");
    bytes = new Uint8Array(value.buffer);
    filledBytes += value.byteLength;
    if (done) return { bytes, filledBytes };
  }
}

async function serve(connection: QuicConnection): Promise<void> {
  let buffer = new Uint8Array(requestBytesMax);
  for await (const stream of connection.incomingBidirectionalStreams) {
    const { bytes, filledBytes } = await readRequest(stream, buffer);
    buffer = bytes;
    if (filledBytes < frameHeaderBytes) throw new Error("the stream holds no request");
    const writer = stream.writable.getWriter();
    await writer.write(replyTo(decodeRequestHead(bytes, "sdk").code));
    await writer.close();
  }
}

const endpoint = new Deno.QuicEndpoint({ hostname: "127.0.0.1", port: 0 });
const listener = endpoint.listen({
  cert: Deno.readTextFileSync(certificatePath),
  key: Deno.readTextFileSync(keyPath),
  alpnProtocols: [],
  maxConcurrentBidirectionalStreams: 32,
  maxConcurrentUnidirectionalStreams: 0,
});
console.log(endpoint.addr.port);
for (;;) {
  const connection = await (await listener.incoming()).accept();
  connection.closed.catch(() => undefined); // its streams tell
  serve(connection).catch(() => undefined); // the client has gone
}
