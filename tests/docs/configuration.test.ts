// docs/configuration.md is what the schema of the configuration makes: a key that is added is there, with its default.
import { expect, test } from "bun:test";
import { renderConfigurationPage } from "../../scripts/configuration-page.ts";
import { schema } from "../../src/config/schema/index.ts";
import { childPath, type Shape, tomlName } from "../../src/config/schema/node.ts";
import { proseLines, read } from "./markdown.ts";

const page = read("docs/configuration.md");

test("the page is what the schema renders", () => {
  // After a change of the schema: `npm run config` writes the page anew.
  expect(page).toBe(renderConfigurationPage());
});

/** Each key as "path name": the path stands in a heading, the name in the first cell of a row below it. */
function keysOf(shape: Shape, path: string): string[] {
  return Object.entries(shape).flatMap(([property, node]) => {
    const name = tomlName(property, node);
    return node.kind === "field" ? [`${path} ${name}`] : keysOf(node.shape, childPath(path, name));
  });
}

test("every key of the schema has one row, under the heading of its table", () => {
  let heading = "";
  const rows = proseLines(page).flatMap((line) => {
    const [, title] = /^#{2,3} `\[+([^\]]+)\]+`$/.exec(line) ?? [];
    if (title !== undefined) heading = title;
    const [, name] = /^\| `([^`]+)` \| (?:\\\||[^|])+ \| (?:\\\||[^|])* \| .+ \|$/.exec(line) ?? [];
    return name === undefined ? [] : [`${heading} ${name}`];
  });
  expect(rows.toSorted()).toEqual(keysOf(schema.shape, "").toSorted());
});
