// What a payload says, whatever it is written in: a tree in which numbers keep all their digits and maps their order and their
// double keys.
import type { JsonLine, JsonToken } from "./json-tokens.ts";

export type Value =
  /** Decimal, as JSON has it, or NaN and the infinities. */
  | { readonly kind: "number"; readonly text: string }
  | { readonly kind: "string"; readonly text: string }
  /** true, false, null and the like. */
  | { readonly kind: "word"; readonly text: string }
  | { readonly kind: "bytes"; readonly bytes: Uint8Array }
  | { readonly kind: "list"; readonly items: readonly Value[] }
  | { readonly kind: "map"; readonly entries: readonly (readonly [key: Value, value: Value])[] }
  /** Something with a name for what it is: a tag of CBOR, an extension of MessagePack. */
  | { readonly kind: "tagged"; readonly tag: string; readonly value: Value };

/** Fields by name, items of lists by number. */
export type Path = readonly (string | number)[];

/** Of the lines of a JSON text (json-tokens.ts). */
export function valueOfLines(lines: readonly JsonLine[]): Value {
  const tokens = lines.flatMap((line) => line.tokens);
  let position = 0;
  const read = (): Value => {
    const { kind, text } = tokens[position++]!;
    if (kind === "number" || kind === "word") return { kind, text };
    if (kind === "string") return { kind, text: JSON.parse(text) as string };
    const isMap = text === "{";
    const entries: [Value, Value][] = [];
    const items: Value[] = [];
    for (let token = tokens[position]!; token.text !== (isMap ? "}" : "]") || token.kind !== "mark"; ) {
      if (token.kind === "mark" && token.text === ",") position++;
      else if (isMap) entries.push(readEntry());
      else items.push(read());
      token = tokens[position]!;
    }
    position++;
    return isMap ? { kind: "map", entries } : { kind: "list", items };
  };
  const readEntry = (): [Value, Value] => {
    const key = JSON.parse(tokens[position]!.text) as string;
    position += 2; // the colon, too
    return [{ kind: "string", text: key }, read()];
  };
  return read();
}

/** All that is there: a key may come twice. */
export function valuesAt(value: Value, path: Path): readonly Value[] {
  let found: readonly Value[] = [value];
  for (const step of path) {
    found = found.flatMap((outer): readonly Value[] => {
      const inner = outer.kind === "tagged" ? outer.value : outer;
      if (inner.kind === "list") {
        const item = typeof step === "number" ? inner.items[step] : undefined;
        return item === undefined ? [] : [item];
      }
      if (inner.kind !== "map") return [];
      return inner.entries
        .filter(([key]) => (key.kind === "string" || key.kind === "number") && key.text === String(step))
        .map(([, entry]) => entry);
    });
  }
  return found;
}

/** Set out in lines, as JSON is; bytes and tags in the notation of CBOR (RFC 8949, 8). */
export function linesOfValue(value: Value): readonly JsonLine[] {
  const lines: JsonLine[] = [];
  let line: JsonToken[] = [];
  let depth = 0;
  const endLine = () => {
    lines.push({ depth, tokens: line });
    line = [];
  };
  const put = (kind: JsonToken["kind"], text: string) => line.push({ kind, text });
  const writeAll = (open: string, close: string, parts: readonly (() => void)[]) => {
    put("mark", open);
    if (parts.length > 0) {
      endLine();
      depth++;
      parts.forEach((part, index) => {
        part();
        if (index < parts.length - 1) put("mark", ",");
        endLine();
      });
      depth--;
    }
    put("mark", close);
  };
  const write = (inner: Value): void => {
    switch (inner.kind) {
      case "string":
        put("string", JSON.stringify(inner.text));
        return;
      case "bytes":
        put("string", `h'${hexOf(inner.bytes)}'`);
        return;
      case "list":
        writeAll(
          "[",
          "]",
          inner.items.map((item) => () => write(item)),
        );
        return;
      case "map":
        writeAll(
          "{",
          "}",
          inner.entries.map(([key, entry]) => () => {
            if (key.kind === "string") put("key", JSON.stringify(key.text));
            else write(key);
            put("mark", ": ");
            write(entry);
          }),
        );
        return;
      case "tagged":
        put("word", inner.tag);
        put("mark", "(");
        write(inner.value);
        put("mark", ")");
        return;
      default:
        put(inner.kind, inner.text);
    }
  };
  write(value);
  endLine();
  return lines;
}

function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
