// Whether a message is one that is searched for. What is costly to find out is found out only where the condition asks for it.
import type { UserHeader } from "../../client/console-client.ts";
import { compareDecimals, isDecimal } from "./decimals.ts";
import { readHeaders } from "./headers.ts";
import { jsonLines } from "./json-tokens.ts";
import { fieldText } from "./payload.ts";
import type { Condition, Operator } from "./search-grammar.ts";
import { type Path, type Value, valueOfLines, valuesAt } from "./values.ts";

export type SearchedMessage = {
  readonly id: bigint;
  readonly payload: Uint8Array;
  readonly userHeaders: Uint8Array;
};

/** Of a payload that is not JSON; undefined: it says nothing. */
export type ReadBinary = (payload: Uint8Array) => Value | undefined;

const looseText = new TextDecoder();

export function matches(condition: Condition, message: SearchedMessage, readBinary: ReadBinary): boolean {
  let text: string | undefined;
  let lower: string | undefined;
  let headers: readonly UserHeader[] | undefined;
  let value: Value | "none" | undefined;
  const textOf = () => (text ??= looseText.decode(message.payload));
  const payloadValue = (): Value | undefined => {
    if (value === undefined) {
      const lines = jsonLines(textOf());
      value = (lines === undefined ? readBinary(message.payload) : valueOfLines(lines)) ?? "none";
    }
    return value === "none" ? undefined : value;
  };
  const fieldMatches = (path: Path, operator: Operator, wanted: string): boolean => {
    if (path.length === 1 && path[0] === "id" && operator === "=" && isId(message.id, wanted)) return true;
    const all = payloadValue();
    return all !== undefined && valuesAt(all, path).some((found) => compares(scalarOf(found), operator, wanted));
  };
  const holds = (inner: Condition): boolean => {
    switch (inner.kind) {
      case "any":
        return inner.of.some(holds);
      case "all":
        return inner.of.every(holds);
      case "not":
        return !holds(inner.of);
      case "text":
        lower ??= textOf().toLowerCase();
        return lower.includes(inner.text);
      case "header":
        headers ??= readHeaders(message.userHeaders) ?? [];
        return headers.some(
          (header) =>
            fieldText(header.key) === inner.key && compares(fieldText(header.value), inner.operator, inner.value),
        );
      default:
        return fieldMatches(inner.path, inner.operator, inner.value);
    }
  };
  return holds(condition);
}

/** Numbers as numbers of any length, everything else as text; undefined is like nothing. */
export function compares(found: string | undefined, operator: Operator, wanted: string): boolean {
  if (found === undefined) return false;
  if (operator === "~") return found.toLowerCase().includes(wanted.toLowerCase());
  const areNumbers = isDecimal(found) && isDecimal(wanted);
  const order = areNumbers ? compareDecimals(found, wanted)! : found < wanted ? -1 : Number(found > wanted);
  switch (operator) {
    case "=":
      return order === 0;
    case ">":
      return order > 0;
    case "<":
      return order < 0;
    case ">=":
      return order >= 0;
    default:
      return order <= 0;
  }
}

/** Undefined for lists and maps. */
function scalarOf(value: Value): string | undefined {
  switch (value.kind) {
    case "number":
    case "string":
    case "word":
      return value.text;
    case "bytes":
      return Array.from(value.bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
    case "tagged":
      return scalarOf(value.value);
    default:
      return undefined;
  }
}

/** A decimal number or a UUID. */
function isId(id: bigint, wanted: string): boolean {
  if (/^\d{1,39}$/.test(wanted)) return BigInt(wanted) === id;
  const digits = wanted.replaceAll("-", "");
  return /^[0-9a-fA-F]{32}$/.test(digits) && BigInt(`0x${digits}`) === id;
}
