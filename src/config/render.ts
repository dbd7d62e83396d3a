// Texts made from the schema: the shipped config.toml and the list of keys in the help text.
import { elementLines, formatToml } from "./dump.ts";
import { schema } from "./schema/index.ts";
import { childPath, type Field, type Shape, type TableList, tomlName } from "./schema/node.ts";

const HEADER = `# Whippet configuration. Every key stands here with its default; keys that are left out keep it.
#
# Sizes: bytes, or B, KB, MB, GB, TB (powers of 1000), KiB, MiB, GiB, TiB (powers of 1024).
# Durations: numbers with ns, us, ms, s, m, h, d, w, month, y, also chained: "2 days 4 hours". 0 needs no unit.
# Expiry: a duration, "none" (never) or "server_default".
#
# An environment variable overrides its key: IGGY_ + the path in upper case with _ for each dot, for example
# IGGY_TCP_ADDRESS="0.0.0.0:8090" or IGGY_SYSTEM_SEGMENT_SIZE="512 MiB". Lists: [a, b]. Lists of tables: an index from
# 0 to 9 in the path, for example IGGY_CLUSTER_NODE_OTHERS_0_NAME.
`;

/** Comment lines of at most 120 columns. */
function wrap(text: string): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + word.length < 120) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(`# ${word}`);
  }
  return lines;
}

function keyLines(name: string, field: Field<unknown>): string[] {
  const shown = field.defaultToml === undefined ? `# ${name} =` : `${name} = ${formatToml(field.defaultToml)}`;
  return [...wrap(`${field.doc} (${field.type})`), shown, ""];
}

/** The default elements; the docs of an element's keys stand above the first. */
function tableLines(path: string, list: TableList<Shape>): string[] {
  const docs = (shape: Shape, prefix: string): string[] =>
    Object.entries(shape).flatMap(([property, node]) => {
      const name = childPath(prefix, tomlName(property, node));
      if (node.kind === "field") return [`# ${name}: ${node.doc} (${node.type})`];
      return docs(node.shape, name);
    });
  const elements = list.defaultValue.flatMap((values) => [
    `[[${path}]]`,
    ...elementLines(list.shape, values, false),
    "",
  ]);
  return [`# ${list.doc}`, ...docs(list.shape, ""), ...elements];
}

function sectionText(shape: Shape, path: string, doc: string): string[] {
  const keys: string[] = [];
  const below: string[] = [];
  for (const [property, node] of Object.entries(shape)) {
    const nodePath = childPath(path, tomlName(property, node));
    if (node.kind === "field") keys.push(...keyLines(tomlName(property, node), node));
    else if (node.kind === "tables") below.push(...tableLines(nodePath, node));
    else below.push(...sectionText(node.shape, nodePath, node.doc));
  }
  const title = doc === "" ? [] : [`# ---- ${doc} ----`, ""];
  return [...title, ...(keys.length === 0 ? [] : [`[${path}]`, ...keys]), ...below];
}

/** The text of config.toml: every key with its default and its doc. */
export function renderDefaultConfig(): string {
  return `${HEADER}\n${sectionText(schema.shape, "", "").join("\n").trimEnd()}\n`;
}

/** One line per key: path, default, doc. Keys of list elements stand as `path[].key`. */
export function renderKeyList(): string {
  const rows: string[] = [];
  const visit = (shape: Shape, path: string): void => {
    for (const [property, node] of Object.entries(shape)) {
      const nodePath = childPath(path, tomlName(property, node));
      if (node.kind === "section") visit(node.shape, nodePath);
      else if (node.kind === "tables") visit(node.shape, `${nodePath}[]`);
      else {
        const shown = node.required || node.defaultToml === undefined ? "" : ` = ${formatToml(node.defaultToml)}`;
        rows.push(`  ${nodePath}${shown}\n      ${node.doc}`);
      }
    }
  };
  visit(schema.shape, "");
  return rows.join("\n");
}
