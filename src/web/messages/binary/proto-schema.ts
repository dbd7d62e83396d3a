// Message types of Protocol Buffers, from .proto files or from a descriptor set: what a decoder needs of them, which is numbers,
// names and types of fields.
import { DecodeError } from "./reader.ts";

export type ProtoScalar =
  | "double"
  | "float"
  | "int32"
  | "int64"
  | "uint32"
  | "uint64"
  | "sint32"
  | "sint64"
  | "fixed32"
  | "fixed64"
  | "sfixed32"
  | "sfixed64"
  | "bool"
  | "string"
  | "bytes";

export type ProtoField = {
  readonly name: string;
  readonly isRepeated: boolean;
  /** A scalar, or the whole name of a message or an enum. */
  readonly type: string;
};

export type ProtoMessage = {
  /** With package and what is around it, as `shop.Order.Line`. */
  readonly name: string;
  readonly fields: ReadonlyMap<number, ProtoField>;
  /** An entry of a map: field 1 is the key, field 2 the value. */
  readonly isMapEntry: boolean;
};

export type ProtoSchema = {
  readonly messages: ReadonlyMap<string, ProtoMessage>;
  /** Names of numbers. */
  readonly enums: ReadonlyMap<string, ReadonlyMap<number, string>>;
};

export const protoScalars: ReadonlySet<string> = new Set<ProtoScalar>([
  ...(["double", "float", "int32", "int64", "uint32", "uint64", "sint32", "sint64"] as const),
  ...(["fixed32", "fixed64", "sfixed32", "sfixed64", "bool", "string", "bytes"] as const),
]);

type Token = { readonly text: string; readonly line: number };
/** A field whose type is a name as it was written, in the scope in which it stands. */
type Open = { readonly message: string; readonly number: number; readonly field: ProtoField };

const tokenPattern = /\s+|\/\/[^\n]*|\/\*[\s\S]*?\*\/|("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|[\w.]+|[^\s\w])/y;
const builtIn = "google.protobuf.";

/** `files`: their texts; what they import has to be among them, but for types that are not used. Throws DecodeError (`schema`). */
export function parseProto(files: readonly string[]): ProtoSchema {
  const messages = new Map<string, ProtoMessage & { readonly fields: Map<number, ProtoField> }>();
  const enums = new Map<string, Map<number, string>>();
  const open: Open[] = [];
  for (const file of files) new ProtoFile(file, messages, enums, open).read();
  for (const { message, number, field } of open) {
    const type = resolve(field.type, message, (name) => messages.has(name) || enums.has(name));
    if (type === undefined) throw wrong(`the type ${field.type} of ${message}.${field.name} is not known`);
    messages.get(message)!.fields.set(number, { ...field, type });
  }
  return { messages, enums };
}

/** The nearest around it, from inside out. Types of google.protobuf that are not given are bytes. */
function resolve(type: string, scope: string, isKnown: (name: string) => boolean): string | undefined {
  if (type.startsWith(".")) return isKnown(type.slice(1)) ? type.slice(1) : undefined;
  const around = scope.split(".");
  for (let depth = around.length; depth >= 0; depth--) {
    const name = [...around.slice(0, depth), type].join(".");
    if (isKnown(name)) return name;
  }
  return type.startsWith(builtIn) ? "bytes" : undefined;
}

function wrong(detail: string): DecodeError {
  return new DecodeError("schema", 0, detail);
}

class ProtoFile {
  readonly #tokens: readonly Token[];
  readonly #messages: Map<string, ProtoMessage & { readonly fields: Map<number, ProtoField> }>;
  readonly #enums: Map<string, Map<number, string>>;
  readonly #open: Open[];
  #position = 0;

  constructor(
    text: string,
    messages: Map<string, ProtoMessage & { readonly fields: Map<number, ProtoField> }>,
    enums: Map<string, Map<number, string>>,
    open: Open[],
  ) {
    this.#tokens = tokensOf(text);
    this.#messages = messages;
    this.#enums = enums;
    this.#open = open;
  }

  read(): void {
    let scope = "";
    while (this.#position < this.#tokens.length) {
      const word = this.#next();
      if (word === "package") {
        scope = this.#next();
        this.#expect(";");
      } else if (word === "message") {
        this.#readMessage(scope);
      } else if (word === "enum") {
        this.#readEnum(scope);
      } else if (word !== ";") {
        this.#skip(); // syntax, edition, import, option, service, extend
      }
    }
  }

  #readMessage(scope: string): void {
    const name = joined(scope, this.#next());
    this.#messages.set(name, { name, fields: new Map(), isMapEntry: false });
    this.#expect("{");
    this.#readBody(name);
  }

  /** Up to the bracket that closes it. */
  #readBody(message: string): void {
    for (let word = this.#next(); word !== "}"; word = this.#next()) {
      const isField = this.#peek() !== "=" && !/^(?:option|reserved|extensions|extend)$/.test(word);
      if (word === ";") continue;
      if (word === "message") this.#readMessage(message);
      else if (word === "enum") this.#readEnum(message);
      else if (word === "oneof") {
        this.#next();
        this.#expect("{");
        this.#readBody(message);
      } else if (word === "map" && this.#peek() === "<") this.#readMap(message);
      else if (isField) this.#readField(message, word);
      else this.#skip();
    }
  }

  #readField(message: string, first: string): void {
    const isLabel = /^(?:repeated|optional|required)$/.test(first);
    const type = isLabel ? this.#next() : first;
    if (type === "group") throw wrong(`groups are not read (line ${this.#line()})`);
    const name = this.#next();
    this.#put(message, this.#readNumber(name), { name, isRepeated: first === "repeated", type });
    this.#skip();
  }

  #readMap(message: string): void {
    this.#expect("<");
    const key = this.#next();
    this.#expect(",");
    const value = this.#next();
    this.#expect(">");
    const name = this.#next();
    const entry = `${message}.${name}\u0000entry`;
    this.#messages.set(entry, { name: entry, fields: new Map(), isMapEntry: true });
    this.#put(entry, 1, { name: "key", isRepeated: false, type: key });
    this.#put(entry, 2, { name: "value", isRepeated: false, type: value });
    this.#messages.get(message)!.fields.set(this.#readNumber(name), { name, isRepeated: true, type: entry });
    this.#skip();
  }

  #put(message: string, number: number, field: ProtoField): void {
    if (protoScalars.has(field.type)) this.#messages.get(message)!.fields.set(number, field);
    else this.#open.push({ message, number, field });
  }

  #readEnum(scope: string): void {
    const names = new Map<number, string>();
    this.#enums.set(joined(scope, this.#next()), names);
    this.#expect("{");
    for (let word = this.#next(); word !== "}"; word = this.#next()) {
      if (word === ";") continue;
      if (this.#peek() === "=") {
        this.#next();
        const isNegative = this.#peek() === "-";
        if (isNegative) this.#next();
        const number = Number(this.#next()) * (isNegative ? -1 : 1);
        if (!names.has(number)) names.set(number, word); // the first of several names of a number
      }
      this.#skip();
    }
  }

  #readNumber(name: string): number {
    this.#expect("=");
    const number = Number(this.#next());
    if (!Number.isInteger(number) || number < 1) throw wrong(`${name} has no number (line ${this.#line()})`);
    return number;
  }

  /** To the end of a statement or behind its block. */
  #skip(): void {
    let depth = 0;
    for (;;) {
      if (depth === 0 && this.#peek() === "}") return;
      const word = this.#next();
      if (word === "{" || word === "[") depth++;
      if (word === "}" || word === "]") depth--;
      if (depth === 0 && (word === ";" || word === "}")) return;
    }
  }

  #peek(): string {
    return this.#tokens[this.#position]?.text ?? "";
  }

  #next(): string {
    const token = this.#tokens[this.#position++];
    if (token === undefined) throw wrong("a .proto file ends too early");
    return token.text;
  }

  #expect(text: string): void {
    const line = this.#line();
    const found = this.#next();
    if (found !== text) throw wrong(`line ${line}: ${text} expected in the place of ${found}`);
  }

  #line(): number {
    return this.#tokens[this.#position]?.line ?? 0;
  }
}

function joined(scope: string, name: string): string {
  return scope === "" ? name : `${scope}.${name}`;
}

function tokensOf(text: string): readonly Token[] {
  const tokens: Token[] = [];
  let line = 1;
  tokenPattern.lastIndex = 0;
  while (tokenPattern.lastIndex < text.length) {
    const match = tokenPattern.exec(text);
    if (match === null) throw wrong(`line ${line} cannot be read`);
    if (match[1] !== undefined) tokens.push({ text: match[1], line });
    line += match[0].split("\n").length - 1;
  }
  return tokens;
}
