// Text lines of a stream, in either runtime.

/** Lines may be tens of megabytes long. */
export async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let parts: string[] = [];
  for await (const chunk of stream) {
    const [end = "", ...later] = decoder.decode(chunk, { stream: true }).split("\n");
    parts.push(end);
    for (const start of later) {
      yield parts.join("");
      parts = [start];
    }
  }
}
