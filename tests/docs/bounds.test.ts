// The tables of docs/bounds.md: every bound that can be configured is there with its default, and each has a test.
import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { schema } from "../../src/config/schema/index.ts";
import { tomlName } from "../../src/config/schema/node.ts";

const root = join(import.meta.dir, "../..");
const read = (path: string) => readFileSync(join(root, path), "utf8");
const rows = read("docs/bounds.md")
  .split("\n")
  .filter((line) => line.startsWith("| ") && !line.includes("| Key | Default | Test |"))
  .map((line) =>
    line
      .slice(1, -1)
      .split("|")
      .map((cell) => cell.trim()),
  );
const operations = read("docs/operations.md");

const configured = Object.entries({
  connections: schema.shape.connections.shape,
  limits: schema.shape.limits.shape,
}).flatMap(([table, shape]) =>
  Object.entries(shape).map(([property, node]) => ({
    key: `${table}.${tomlName(property, node)}`,
    value: node.defaultValue,
  })),
);

describe("a bound that can be configured", () => {
  test.each(configured)("$key", ({ key, value }) => {
    const row = rows.find(([, name]) => name === `\`${key}\``);
    expect({ key, isThere: row !== undefined }).toEqual({ key, isThere: true });
    // Times have their unit behind them.
    const shown = Number(row![2]!.split(/[ :]/)[0]!.replaceAll(",", ""));
    expect([shown, shown * 1_000_000]).toContain(Number(value));
    expect(operations).toContain(`\`${key}\``);
  });
});

test.each(rows.map(([bound = "", ...cells]) => ({ bound, cells })))("$bound: has a test", ({ cells }) => {
  expect(cells).toHaveLength(3);
  const named = [...cells[2]!.matchAll(/`(tests\/[^`]+)` \*([^*]+)\*/g)];
  expect(named.length).toBeGreaterThan(0);
  for (const [, path = "", name = ""] of named) {
    expect({ path, exists: existsSync(join(root, path)) }).toEqual({ path, exists: true });
    expect({ path, name, isDeclared: read(path).includes(`"${name}"`) }).toEqual({ path, name, isDeclared: true });
  }
});
