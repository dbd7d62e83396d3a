// How the parts of an address are written and read: names of any characters in the path, values in the query.

export const root = "/ui";

/** Empty values are left out. Colons and commas stay readable. */
export function queryOf(values: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(values).filter(([, value]) => value !== "");
  const text = pairs.map(
    ([name, value]) => `${name}=${encodeURIComponent(value).replace(/%3A|%2C/g, decodeURIComponent)}`,
  );
  return text.length === 0 ? "" : `?${text.join("&")}`;
}

/** Names of one or two dots would be taken for steps in the path. */
export function encode(name: string): string {
  return /^\.{1,2}$/.test(name) ? `~${name}` : encodeURIComponent(name).replace(/^~/, "~~");
}

/** The parts behind /ui, decoded; undefined for a path that is none. */
export function segmentsOf(path: string): readonly string[] | undefined {
  if (path !== root && !path.startsWith(`${root}/`)) return undefined;
  try {
    return path
      .slice(root.length)
      .split("/")
      .filter((part) => part !== "")
      .map((part) => decodeURIComponent(part.replace(/^~(?=~|\.{1,2}$)/, "")));
  } catch {
    return undefined; // percent signs that encode nothing
  }
}
