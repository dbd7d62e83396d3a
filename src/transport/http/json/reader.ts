// A pull parser for JSON text. Two things that JSON.parse cannot do are needed here: numbers keep their source text, since u64
// values and 128-bit ids do not fit a JavaScript number (spec HA 1.5), and a batch of messages is read without one object
// for each of them. Strings, which are nearly all of a batch, are found with native searches.

/** The text is no JSON: status 400 (spec HA 1.7). */
export class JsonSyntaxError extends Error {
  override readonly name = "JsonSyntaxError";
}

/** The text is JSON of another shape: status 422 (spec HA 1.7). */
export class JsonShapeError extends Error {
  override readonly name = "JsonShapeError";
}

export type JsonKind = "object" | "array" | "string" | "number" | "boolean" | "null";

const nestingMax = 128;

const Code = {
  quote: 0x22,
  comma: 0x2c,
  colon: 0x3a,
  minus: 0x2d,
  zero: 0x30,
  nine: 0x39,
  openBracket: 0x5b,
  closeBracket: 0x5d,
  openBrace: 0x7b,
  closeBrace: 0x7d,
} as const;

const numberPattern = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON strings may not hold them
const specialPattern = /[\\\u0000-\u001f]/;

export class JsonReader {
  readonly #text: string;
  #position = 0;
  #depth = 0;
  /** Nothing was read yet of the container that was entered last. */
  #isFresh = false;

  constructor(text: string) {
    this.#text = text;
  }

  /** What comes next; nothing is consumed. */
  kind(): JsonKind {
    this.#skipBlanks();
    const code = this.#text.charCodeAt(this.#position);
    if (code === Code.quote) return "string";
    if (code === Code.openBrace) return "object";
    if (code === Code.openBracket) return "array";
    if (code === Code.minus || (code >= Code.zero && code <= Code.nine)) return "number";
    if (this.#text.startsWith("true", this.#position) || this.#text.startsWith("false", this.#position))
      return "boolean";
    if (this.#text.startsWith("null", this.#position)) return "null";
    throw this.#syntax(Number.isNaN(code) ? "EOF while parsing a value" : "expected value");
  }

  beginObject(): void {
    this.#begin(Code.openBrace, "a map");
  }

  beginArray(): void {
    this.#begin(Code.openBracket, "a sequence");
  }

  /** The next key of the object that was entered; undefined when it has ended. */
  nextKey(): string | undefined {
    if (!this.#next(Code.closeBrace)) return undefined;
    this.#skipBlanks();
    if (this.#text.charCodeAt(this.#position) !== Code.quote) throw this.#syntax("key must be a string");
    const key = this.string();
    this.#skipBlanks();
    if (this.#text.charCodeAt(this.#position) !== Code.colon) throw this.#syntax("expected `:`");
    this.#position++;
    return key;
  }

  /** Whether the array that was entered has another element. */
  nextElement(): boolean {
    return this.#next(Code.closeBracket);
  }

  /** A string, decoded. */
  string(): string {
    this.#expectKind("string", "a string");
    const start = this.#position + 1;
    const end = this.#text.indexOf('"', start);
    if (end < 0) throw this.#syntax("EOF while parsing a string");
    const plain = this.#text.slice(start, end);
    if (!specialPattern.test(plain)) {
      this.#position = end + 1;
      return plain;
    }
    return this.#escapedString(start);
  }

  /** The source text of a number. */
  number(): string {
    this.#expectKind("number", "a number");
    numberPattern.lastIndex = this.#position;
    const text = numberPattern.exec(this.#text)?.[0];
    if (text === undefined) throw this.#syntax("invalid number");
    this.#position += text.length;
    const next = this.#text.charCodeAt(this.#position);
    if (next >= Code.zero && next <= Code.nine) throw this.#syntax("invalid number");
    return text;
  }

  boolean(): boolean {
    this.#expectKind("boolean", "a boolean");
    const isTrue = this.#text.charCodeAt(this.#position) === 0x74;
    this.#position += isTrue ? 4 : 5;
    return isTrue;
  }

  /** Consumes a null, if one is next. */
  skipNull(): boolean {
    if (this.kind() !== "null") return false;
    this.#position += 4;
    return true;
  }

  /** Reads over one value of any kind. */
  skipValue(): void {
    switch (this.kind()) {
      case "object":
        this.beginObject();
        while (this.nextKey() !== undefined) this.skipValue();
        return;
      case "array":
        this.beginArray();
        while (this.nextElement()) this.skipValue();
        return;
      case "string":
        this.string();
        return;
      case "number":
        this.number();
        return;
      case "boolean":
        this.boolean();
        return;
      case "null":
        this.skipNull();
    }
  }

  /** Nothing but blanks may be left. */
  end(): void {
    this.#skipBlanks();
    if (this.#position < this.#text.length) throw this.#syntax("trailing characters");
  }

  #begin(code: number, wanted: string): void {
    this.#expectKind(code === Code.openBrace ? "object" : "array", wanted);
    this.#position++;
    if (++this.#depth > nestingMax) throw this.#syntax("recursion limit exceeded");
    this.#isFresh = true;
  }

  #next(closing: number): boolean {
    this.#skipBlanks();
    const code = this.#text.charCodeAt(this.#position);
    if (code === closing) {
      this.#position++;
      this.#depth--;
      this.#isFresh = false;
      return false;
    }
    if (!this.#isFresh) {
      if (code !== Code.comma) throw this.#syntax(Number.isNaN(code) ? "EOF while parsing" : "expected `,`");
      this.#position++;
    }
    this.#isFresh = false;
    return true;
  }

  #escapedString(start: number): string {
    let end = start;
    for (;;) {
      end = this.#text.indexOf('"', end);
      if (end < 0) throw this.#syntax("EOF while parsing a string");
      let backslashes = 0;
      while (this.#text.charCodeAt(end - 1 - backslashes) === 0x5c) backslashes++;
      if (backslashes % 2 === 0) break;
      end++;
    }
    try {
      const value: unknown = JSON.parse(this.#text.slice(start - 1, end + 1));
      if (typeof value !== "string" || !value.isWellFormed()) throw this.#syntax("lone surrogate in a string");
      this.#position = end + 1;
      return value;
    } catch (cause) {
      if (cause instanceof JsonSyntaxError) throw cause;
      throw this.#syntax("invalid escape or control character in a string");
    }
  }

  #expectKind(kind: JsonKind, wanted: string): void {
    const found = this.kind();
    if (found !== kind) throw new JsonShapeError(`invalid type: ${found}, expected ${wanted} ${this.#place()}`);
  }

  #skipBlanks(): void {
    for (;;) {
      const code = this.#text.charCodeAt(this.#position);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
      this.#position++;
    }
  }

  #syntax(what: string): JsonSyntaxError {
    return new JsonSyntaxError(`${what} ${this.#place()}`);
  }

  #place(): string {
    const before = this.#text.slice(0, this.#position);
    const line = before.split("\n").length;
    return `at line ${line} column ${this.#position - before.lastIndexOf("\n") - 1}`;
  }
}
