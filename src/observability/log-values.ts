// Values of log fields as text. A log line never throws, whatever it is given.

/** Name and message of an error and of what caused it; a chain is cut at four, as it may be a circle. */
export function errorText(error: Error): string {
  const parts: string[] = [];
  let current: unknown = error;
  while (current instanceof Error && parts.length < 4) {
    parts.push(`${current.name}: ${current.message}`);
    current = current.cause;
  }
  return parts.join(", caused by ");
}

/** JSON where there is one; a circle or a throwing getter falls back to the type's name. */
export function jsonText(value: unknown): string {
  try {
    return JSON.stringify(value, (_, part: unknown) => plainValue(part)) ?? "undefined";
  } catch {
    return Object.prototype.toString.call(value);
  }
}

/** What JSON has no form for, as text: whole numbers beyond 53 bits, and errors. */
function plainValue(value: unknown): unknown {
  if (typeof value === "bigint") return String(value);
  return value instanceof Error ? errorText(value) : value;
}
