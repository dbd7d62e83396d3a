// The field types of the schema. A constructor takes the default in its TOML form and parses it with the field's own
// rules, so a default that breaks a bound cannot be written down.
import {
  formatByteSize,
  formatDurationMicros,
  formatExpiry,
  formatMaxTopicSize,
  parseByteSize,
  parseDurationMicros,
  parseExpiry,
  parseMaxTopicSize,
  SizeTooLargeError,
} from "../units.ts";
import { type Field, RuleError, type TomlOutput } from "./node.ts";

interface Base {
  doc: string;
  /** The key is accepted, for the files of the original, and does nothing. */
  inert?: boolean;
  secret?: boolean;
  required?: boolean;
}

interface Codec<T> {
  type: string;
  unitSuffix?: Field<T>["unitSuffix"];
  fromText(text: string): T;
  fromToml(value: unknown): T;
  toToml(value: T): TomlOutput;
  check?(value: T): void;
}

function field<T>(base: Base, codec: Codec<T>, defaultToml: TomlOutput): Field<T> {
  const checked = (value: T): T => {
    codec.check?.(value);
    return value;
  };
  const fromToml = (value: unknown): T => checked(codec.fromToml(value));
  return {
    kind: "field",
    type: codec.type,
    // A required key has no default; its placeholder never reaches a configuration and need not pass the bounds.
    defaultValue: base.required === true ? codec.fromToml(defaultToml) : fromToml(defaultToml),
    defaultToml,
    doc: base.inert === true ? `Without effect: ${base.doc}` : base.doc,
    secret: base.secret === true,
    isInert: base.inert === true,
    required: base.required === true,
    ignoreInvalid: false,
    unitSuffix: codec.unitSuffix ?? "",
    fromText: (text) => checked(codec.fromText(text)),
    fromToml,
    toToml: codec.toToml,
  };
}

/** A key that may be absent; absent is undefined and has no line in config.toml. */
export function optional<T>(inner: Field<T>, options: { ignoreInvalid?: boolean } = {}): Field<T | undefined> {
  return {
    kind: "field",
    type: inner.type,
    defaultValue: undefined,
    defaultToml: undefined,
    doc: inner.doc,
    secret: inner.secret,
    isInert: inner.isInert,
    required: false,
    ignoreInvalid: options.ignoreInvalid === true,
    unitSuffix: inner.unitSuffix,
    fromText: (text) => inner.fromText(text),
    fromToml: (value) => inner.fromToml(value),
    toToml: (value) => (value === undefined ? undefined : inner.toToml(value)),
  };
}

export function bool(options: Base & { default: boolean }): Field<boolean> {
  const rule = "must be true or false";
  const codec: Codec<boolean> = {
    type: "bool",
    fromText(text) {
      const lower = text.toLowerCase();
      if (lower !== "true" && lower !== "false") throw new RuleError(rule);
      return lower === "true";
    },
    fromToml(value) {
      if (typeof value !== "boolean") throw new RuleError(rule);
      return value;
    },
    toToml: (value) => value,
  };
  return field(options, codec, options.default);
}

/** Text; an environment value is taken as it is, numbers too (spec SB 13, trap 58). */
export function text(
  options: Base & { default?: string; nonEmpty?: boolean; check?: (value: string) => void },
): Field<string> {
  const codec: Codec<string> = {
    type: "text",
    fromText: (value) => value,
    fromToml(value) {
      if (typeof value !== "string") throw new RuleError("must be text in quotes");
      return value;
    },
    toToml: (value) => value,
    check(value) {
      if (options.nonEmpty === true && value.trim() === "") throw new RuleError("must not be empty");
      options.check?.(value);
    },
  };
  return field(options, codec, options.default ?? "");
}

/** A directory name below `system.path`; it may not lead out of it. */
export function pathBelow(options: Base & { default: string }): Field<string> {
  return text({
    ...options,
    nonEmpty: true,
    check(value) {
      const parts = value.split("/");
      if (value.startsWith("/") || parts.some((part) => part === "" || part === "." || part === "..")) {
        throw new RuleError("must be a plain path below system.path, without . or .. or a leading /");
      }
    },
  });
}

export function integer(options: Base & { default: number; min?: number; max: number; type: string }): Field<number> {
  const min = options.min ?? 0;
  const codec: Codec<number> = {
    type: options.type,
    fromText(value) {
      if (!/^[+-]?\d+$/.test(value)) throw new RuleError("must be a whole number");
      return Number(value);
    },
    fromToml(value) {
      // Beyond 2^53, which is beyond every bound, so that the number that is nearest will do.
      if (typeof value === "bigint") return Number(value);
      if (typeof value !== "number" || !Number.isInteger(value)) throw new RuleError("must be a whole number");
      return value;
    },
    toToml: (value) => value,
    check(value) {
      if (value < min || value > options.max) throw new RuleError(`must be from ${min} to ${options.max}`);
    },
  };
  return field(options, codec, options.default);
}

type IntegerOptions = Base & { default: number; min?: number };
export const u16 = (options: IntegerOptions): Field<number> => integer({ ...options, max: 0xffff, type: "u16" });
export const u32 = (options: IntegerOptions): Field<number> => integer({ ...options, max: 0xffffffff, type: "u32" });
/** Exact below 2^53, which is also the bound. */
export const u64 = (options: IntegerOptions): Field<number> =>
  integer({ ...options, max: Number.MAX_SAFE_INTEGER, type: "u64" });

/** A byte size; bounds in text form. The property's name ends in `Bytes`. */
export function size(
  options: Base & { default: string; min?: string; max?: string; multipleOfBytes?: number; zeroWords?: boolean },
): Field<number> {
  const minBytes = options.min === undefined ? 0 : parseByteSize(options.min);
  const maxBytes = options.max === undefined ? Number.MAX_SAFE_INTEGER : parseByteSize(options.max);
  const multiple = options.multipleOfBytes ?? 1;
  const tooLarge = new RuleError(`must be at most ${options.max}`);
  const fromText = (value: string): number => {
    try {
      return parseByteSize(value, { zeroWords: options.zeroWords === true });
    } catch (error) {
      if (error instanceof SizeTooLargeError && options.max !== undefined) throw tooLarge;
      throw error;
    }
  };
  const codec: Codec<number> = {
    type: "size",
    unitSuffix: "Bytes",
    fromText,
    fromToml(value) {
      if (typeof value === "number" || typeof value === "bigint") return fromText(String(value));
      if (typeof value === "string") return fromText(value);
      throw new RuleError('must be a size such as 1024 or "1 MiB"');
    },
    toToml: formatByteSize,
    check(value) {
      if (value < minBytes) throw new RuleError(`must be at least ${options.min}`);
      if (value > maxBytes) throw tooLarge;
      if (value % multiple !== 0) throw new RuleError(`must be a multiple of ${multiple} bytes`);
    },
  };
  return field(options, codec, options.default);
}

/** A duration in microseconds; the bound in text form. The property's name ends in `Micros`. */
export function duration(options: Base & { default: string; min?: string; nonZero?: boolean }): Field<number> {
  const minMicros = options.min === undefined ? 0 : parseDurationMicros(options.min);
  const codec: Codec<number> = {
    type: "duration",
    unitSuffix: "Micros",
    fromText: parseDurationMicros,
    fromToml(value) {
      if (value === 0) return 0;
      if (typeof value === "string") return parseDurationMicros(value);
      throw new RuleError('must be a duration with a unit such as "30s"');
    },
    toToml: formatDurationMicros,
    check(value) {
      if (options.nonZero === true && value === 0) throw new RuleError("must not be zero");
      if (value < minMicros) throw new RuleError(`must be at least ${options.min}`);
    },
  };
  return field(options, codec, options.default);
}

/** A message or token expiry as its wire number (microseconds, never, server default). */
export function expiry(options: Base & { default: string }): Field<bigint> {
  const codec: Codec<bigint> = {
    type: "expiry",
    fromText: parseExpiry,
    fromToml(value) {
      if (typeof value !== "string") throw new RuleError('must be an expiry such as "1 h", "none" or "server_default"');
      return parseExpiry(value);
    },
    toToml: formatExpiry,
  };
  return field(options, codec, options.default);
}

/** A topic size limit as its wire number (bytes, unlimited, server default). */
export function maxTopicSize(options: Base & { default: string }): Field<bigint> {
  const codec: Codec<bigint> = {
    type: "topic size",
    fromText: parseMaxTopicSize,
    fromToml(value) {
      if (typeof value === "number" || typeof value === "bigint") return parseMaxTopicSize(String(value));
      if (typeof value === "string") return parseMaxTopicSize(value);
      throw new RuleError('must be a size such as "10 GiB", or "unlimited"');
    },
    toToml: formatMaxTopicSize,
  };
  return field(options, codec, options.default);
}

/**
 * One of a few words. `aliases` adds spellings (a TOML boolean counts as its text); `anyCase` ignores case.
 */
export function oneOf<const W extends string>(
  options: Base & { words: readonly W[]; default: W; aliases?: Readonly<Record<string, W>>; anyCase?: boolean },
): Field<W> {
  const spellings = new Map<string, W>(Object.entries(options.aliases ?? {}));
  for (const word of options.words) spellings.set(word, word);
  const rule = `must be one of ${[...spellings.keys()].join(", ")}`;
  const fromText = (value: string): W => {
    const word = spellings.get(options.anyCase === true ? value.toLowerCase() : value);
    if (word === undefined) throw new RuleError(rule);
    return word;
  };
  const codec: Codec<W> = {
    type: options.words.join(" | "),
    fromText,
    fromToml(value) {
      if (typeof value !== "string" && !(typeof value === "boolean" && spellings.has(String(value)))) {
        throw new RuleError(rule);
      }
      return fromText(String(value));
    },
    toToml: (value) => value,
  };
  return field(options, codec, options.default);
}

/** A list of texts. In the environment: `[GET, POST]`, quotes around items optional (spec SB 1.2). */
export function textList(
  options: Base & { default: readonly string[]; check?: (values: readonly string[]) => void },
): Field<readonly string[]> {
  const codec: Codec<readonly string[]> = {
    type: "list",
    fromText(value) {
      const inner = /^\[(.*)\]$/s.exec(value.trim())?.[1];
      if (inner === undefined) throw new RuleError("must be a list in brackets such as [GET, POST]");
      return inner.trim() === "" ? [] : inner.split(",").map((item) => item.trim().replace(/^(["'])(.*)\1$/s, "$2"));
    },
    fromToml(value) {
      const rule = 'must be a list of texts such as ["a", "b"]';
      if (!Array.isArray(value)) throw new RuleError(rule);
      return value.map((item: unknown) => {
        if (typeof item !== "string") throw new RuleError(rule);
        return item;
      });
    },
    toToml: (value) => value,
    ...(options.check && { check: options.check }),
  };
  return field(options, codec, options.default);
}

/** A field whose text form has its own grammar. */
export function parsed<T>(
  options: Base & { type: string; default: string; parse: (text: string) => T; format: (value: T) => string },
): Field<T> {
  const codec: Codec<T> = {
    type: options.type,
    fromText: options.parse,
    fromToml(value) {
      if (typeof value !== "string" && typeof value !== "number") throw new RuleError("must be text or a number");
      return options.parse(String(value));
    },
    toToml: options.format,
  };
  return field(options, codec, options.default);
}
