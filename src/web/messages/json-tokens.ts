// JSON as it was sent, set out in lines: token by token, never through JSON.parse, so that digits, exponents and keys that come
// twice stay as they are. What is not JSON (RFC 8259) is none here.

export type JsonTokenKind = "key" | "string" | "number" | "word" | "mark";

export type JsonToken = { readonly kind: JsonTokenKind; readonly text: string };

/** `depth`: how far the line is set in. */
export type JsonLine = { readonly depth: number; readonly tokens: readonly JsonToken[] };

/** Deeper than any message that somebody reads; an engine's stack is not at stake, since nothing here recurses. */
const depthMax = 512;
const tokenPattern =
  /[\t\n\r ]+|"(?:[ !#-[\]-\u{10ffff}]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null|[{}[\],:]/uy;

/** What may come next. */
type Expected = "value" | "valueOrEnd" | "key" | "keyOrEnd" | "colon" | "commaOrEnd" | "nothing";

/** The lines of a JSON text; undefined where it is not one. */
export function jsonLines(text: string): readonly JsonLine[] | undefined {
  const lines: JsonLine[] = [];
  const open: ("{" | "[")[] = [];
  let line: JsonToken[] = [];
  let lineDepth = 0;
  let expected: Expected = "value";
  const endLine = () => {
    if (line.length > 0) lines.push({ depth: lineDepth, tokens: line });
    line = [];
    lineDepth = open.length;
  };
  const afterValue = (): Expected => (open.length === 0 ? "nothing" : "commaOrEnd");

  tokenPattern.lastIndex = 0;
  while (tokenPattern.lastIndex < text.length) {
    const token = tokenPattern.exec(text)?.[0];
    if (token === undefined) return undefined;
    const first = token.charAt(0);
    if (first === " " || first === "\t" || first === "\n" || first === "\r") continue;
    const isEnd = first === "}" || first === "]";
    if (isEnd) {
      const opener = first === "}" ? "{" : "[";
      const isEmpty: boolean = expected === "keyOrEnd" || expected === "valueOrEnd";
      if (open.at(-1) !== opener || !(isEmpty || expected === "commaOrEnd")) return undefined;
      open.pop();
      if (!isEmpty) endLine();
      line.push({ kind: "mark", text: token });
      expected = afterValue();
    } else if (expected === "commaOrEnd") {
      if (first !== ",") return undefined;
      line.push({ kind: "mark", text: "," });
      endLine();
      expected = open.at(-1) === "{" ? "key" : "value";
    } else if (expected === "colon") {
      if (first !== ":") return undefined;
      line.push({ kind: "mark", text: ": " });
      expected = "value";
    } else if (expected === "key" || expected === "keyOrEnd") {
      if (first !== '"') return undefined;
      if (expected === "keyOrEnd") endLine();
      line.push({ kind: "key", text: token });
      expected = "colon";
    } else if (expected === "nothing" || first === "," || first === ":") {
      return undefined;
    } else {
      if (expected === "valueOrEnd") endLine();
      if (first === "{" || first === "[") {
        if (open.length >= depthMax) return undefined;
        line.push({ kind: "mark", text: token });
        open.push(first);
        expected = first === "{" ? "keyOrEnd" : "valueOrEnd";
      } else {
        line.push({ kind: first === '"' ? "string" : /[tfn]/.test(first) ? "word" : "number", text: token });
        expected = afterValue();
      }
    }
  }
  if (expected !== "nothing") return undefined;
  endLine();
  return lines;
}
