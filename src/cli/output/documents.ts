// Values as JSON and as TOML. Numbers of 64 bits keep all their digits.

/** What can be written as JSON. */
export type Json =
  | null
  | boolean
  | string
  | number
  | bigint
  | undefined
  | readonly Json[]
  | { readonly [name: string]: Json };

// Not in the compiler's library yet.
const { rawJSON } = JSON as typeof JSON & { rawJSON(text: string): object };

/** JSON on one line, or indented. */
export function jsonText(value: Json, indent?: number): string {
  return JSON.stringify(value, (_, part: unknown) => (typeof part === "bigint" ? rawJSON(String(part)) : part), indent);
}

/** Lines of a TOML document: a list becomes an array of tables called `items`. */
export function tomlText(value: Json): string {
  const root = isTable(value) ? value : { items: value };
  const lines: string[] = [];
  writeTable(lines, [], root);
  return lines.join("\n");
}

function isTable(value: Json): value is { readonly [name: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isTables(value: Json): value is readonly { readonly [name: string]: Json }[] {
  return Array.isArray(value) && value.length > 0 && value.every(isTable);
}

/** A name that needs no quotes stands as it is. */
export function tomlKey(name: string): string {
  return /^[A-Za-z0-9_-]+$/.test(name) ? name : JSON.stringify(name);
}

/** A value that is no table. There is no null in TOML: it is left out by who calls. */
export function tomlValue(value: Json): string {
  if (Array.isArray(value)) return `[${value.map((item) => tomlValue(item)).join(", ")}]`;
  if (isTable(value)) {
    const fields = Object.entries(value).filter(([, field]) => field !== null && field !== undefined);
    return `{ ${fields.map(([name, field]) => `${tomlKey(name)} = ${tomlValue(field)}`).join(", ")} }`;
  }
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}

function writeTable(lines: string[], path: readonly string[], table: { readonly [name: string]: Json }): void {
  const entries = Object.entries(table).filter(([, value]) => value !== null && value !== undefined);
  for (const [name, value] of entries) {
    if (!isTable(value) && !isTables(value)) lines.push(`${tomlKey(name)} = ${tomlValue(value)}`);
  }
  for (const [name, value] of entries) {
    const inner = [...path, tomlKey(name)];
    if (isTable(value)) {
      lines.push("", `[${inner.join(".")}]`);
      writeTable(lines, inner, value);
    } else if (isTables(value)) {
      for (const item of value) {
        lines.push("", `[[${inner.join(".")}]]`);
        writeTable(lines, inner, item);
      }
    }
  }
}
