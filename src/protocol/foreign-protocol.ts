// What else than this protocol the first bytes of a connection are: a client, a browser or a load balancer at the wrong port.
// None of these beginnings is a request that a client may send before its login: as the length or code of a frame each is too
// large or unknown. So a match is certain, whatever kind of frames is configured.

export type ForeignProtocol = "tls" | "http" | "proxy";

const ascii = (text: string): readonly number[] => [...text].map((char) => char.charCodeAt(0));

/** PROXY protocol version 2, 2.2: what every header begins with. */
export const proxyV2Signature: readonly number[] = ascii("\r\n\r\n\0\r\nQUIT\n");
export const proxyV1Signature: readonly number[] = ascii("PROXY ");

/** `undefined` stands for any byte. */
type Pattern = readonly (number | undefined)[];

/** Record of a handshake, version 3.1 to 3.4 as older and newer libraries write it, length, type client hello. */
const clientHellos: readonly Pattern[] = [1, 2, 3, 4].map((minor) => [0x16, 3, minor, undefined, undefined, 1]);

/** The methods of RFC 9110, PATCH, and the preface of HTTP/2. */
const methods = [
  "GET ",
  "POST ",
  "PUT ",
  "HEAD ",
  "DELETE ",
  "OPTIONS ",
  "PATCH ",
  "CONNECT ",
  "TRACE ",
  "PRI * HTTP/2.0",
];

const beginnings: readonly (readonly [ForeignProtocol, Pattern])[] = [
  ...clientHellos.map((pattern) => ["tls", pattern] as const),
  ...methods.map((method) => ["http", ascii(method)] as const),
  ["proxy", proxyV1Signature],
  ["proxy", proxyV2Signature],
];

/** Given every byte that has arrived so far. `more`: not decided yet, which only a beginning of those above can be. */
export function foreignProtocolOf(bytes: Uint8Array): ForeignProtocol | "none" | "more" {
  let answer: "none" | "more" = "none";
  for (const [protocol, pattern] of beginnings) {
    if (!agree(bytes, pattern)) continue;
    if (bytes.byteLength >= pattern.length) return protocol;
    answer = "more";
  }
  return answer;
}

/** Whether the bytes differ nowhere from the pattern, as far as both go. */
function agree(bytes: Uint8Array, pattern: Pattern): boolean {
  return pattern.every(
    (expected, index) => expected === undefined || index >= bytes.length || bytes[index] === expected,
  );
}
