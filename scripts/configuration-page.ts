// docs/configuration.md as the schema of the configuration makes it: a table for each section, a row for each key.
import { formatToml } from "../src/config/dump.ts";
import { schema } from "../src/config/schema/index.ts";
import { childPath, environmentName, type Field, type Shape, tomlName } from "../src/config/schema/node.ts";

const header = `# Configuration

<!-- Made by \`npm run config\` from src/config/schema: change the schema, not this page. -->

Every key of the broker, with its default. Later sources win:

1. the defaults below
2. a TOML file: the one that \`IGGY_CONFIG_PATH\` names, otherwise \`config.toml\` in the working directory or the nearest parent;
   [config.toml](../config.toml) has every key with its default
3. environment variables: \`IGGY_\` and the key in upper case with \`_\` for each dot, so \`system.segment.size\` is
   \`${environmentName("system.segment.size")}\`. Lists are \`[a, b]\`; in lists of tables an index from 0 to 9 stands in the path

All that is wrong is said at once, each with its key, its value, where it was found, and what would be right. What some keys
mean in operation is in [Keys to know](operations.md#keys-to-know).

| Type | Values |
|---|---|
| size | Bytes, or with a unit: B, KB, MB, GB, TB (powers of 1000), KiB, MiB, GiB, TiB (powers of 1024) |
| duration | A number with ns, us, ms, s, m, h, d, w, month or y, also chained: \`2 days 4 hours\`. 0 needs no unit |
| expiry | A duration, \`none\` (never) or \`server_default\` |
`;

/** Text inside a cell: a bar would end it, and angle brackets would be taken for a tag. */
function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("<", "&lt;").replaceAll("\n", " ");
}

function row(name: string, field: Field<unknown>): string {
  const hasNone = field.required || field.defaultToml === undefined;
  const shown = hasNone ? "" : `\`${formatToml(field.defaultToml).replaceAll("|", "\\|")}\``;
  return `| \`${name}\` | ${cell(field.type)} | ${shown} | ${cell(field.doc)} |`;
}

/** The keys of a section, then the sections below it, each under a heading with its whole path. */
function sectionLines(shape: Shape, path: string, doc: string, heading: string): string[] {
  const keys: string[] = [];
  const below: string[] = [];
  for (const [property, node] of Object.entries(shape)) {
    const name = tomlName(property, node);
    const nodePath = childPath(path, name);
    if (node.kind === "field") keys.push(row(name, node));
    else if (node.kind === "section") below.push(...sectionLines(node.shape, nodePath, node.doc, `[${nodePath}]`));
    else below.push(...sectionLines(node.shape, nodePath, node.doc, `[[${nodePath}]]`));
  }
  if (path === "") return below;
  const level = path.includes(".") ? "###" : "##";
  const title = doc === "" && keys.length === 0 ? [] : ["", `${level} \`${heading}\``];
  const text = doc === "" ? [] : ["", cell(doc.endsWith(".") ? doc : `${doc}.`)];
  const table = keys.length === 0 ? [] : ["", "| Key | Type | Default | What it does |", "|---|---|---|---|", ...keys];
  return [...title, ...text, ...table, ...below];
}

/** The whole page, ending with a newline. */
export function renderConfigurationPage(): string {
  return `${header}${sectionLines(schema.shape, "", "", "").join("\n")}\n`;
}
