import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";

// Who may import whom (ARCHITECTURE.md, "Layers"). A layer imports from the layers below it and from nothing above.

const root = resolve(import.meta.dir, "..");
const source = join(root, "src");

const leaves = ["config", "observability", "platform", "protocol", "security"] as const;
const mayImport: Readonly<Record<string, readonly string[]>> = {
  protocol: [],
  platform: [],
  security: ["platform"],
  observability: [],
  config: [],
  storage: ["protocol", "platform"],
  metadata: ["protocol", "platform"],
  takeover: ["metadata", "protocol", "platform", "security"],
  shard: ["storage", "metadata", ...leaves],
  server: ["shard", "storage", "metadata", ...leaves],
  transport: ["server", "shard", ...leaves],
  client: ["protocol"],
  bench: ["client", "protocol", "quic-relay"],
  cli: ["client", "protocol", "quic-relay"],
  "quic-relay": [],
  web: ["client"],
  spawn: ["client", "protocol", "platform"],
};

/** The only folders that see every layer: the process and its shards, a broker inside a test, the doctor and backups are put together there. */
const compositionRoots = new Set(["process", "embedded", "doctor", "backup"]);

/** Layers with a door: others import their index.ts only. */
const doors = new Set(["storage", "metadata", "shard", "server", "client"]);

/** The client has one for each runtime, with the same names, and one for the console's page. */
const doorFile = /^(?:index(\.bun|\.node)?|console-client)\.ts$/;

function isDoor(target: string, layer: string): boolean {
  const name = relative(join(source, layer), target);
  return layer === "client" ? doorFile.test(name) : name === "index.ts";
}

interface Import {
  readonly file: string;
  readonly layer: string;
  readonly target: string;
  readonly targetLayer: string;
}

function sourceFiles(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) return entry.name === "assembly" ? [] : sourceFiles(path);
    return /\.tsx?$/.test(entry.name) && !entry.name.endsWith(".d.ts") ? [path] : [];
  });
}

/** The folder below `src`; a loose file is a layer of its own, which nobody knows. */
function layerOf(path: string): string {
  return relative(source, path).split("/")[0] ?? "";
}

function importsOf(file: string): Import[] {
  const text = readFileSync(file, "utf8");
  const found: Import[] = [];
  for (const match of text.matchAll(
    /(?:^|\n)\s*(?:import|export)\b[^;]*?\bfrom\s+"(\.[^"]+)"|\bimport\("(\.[^"]+)"\)/g,
  )) {
    const target = resolve(dirname(file), (match[1] ?? match[2])!);
    if (!target.startsWith(source)) continue;
    found.push({ file: relative(root, file), layer: layerOf(file), target, targetLayer: layerOf(target) });
  }
  return found;
}

const files = sourceFiles(source);
const imports = files.flatMap(importsOf).filter((found) => found.layer !== found.targetLayer);
const ordinary = imports.filter((found) => !compositionRoots.has(found.layer));

test("the sources and their imports are found", () => {
  expect(files.length).toBeGreaterThan(150);
  expect(ordinary.length).toBeGreaterThan(150);
});

test("every folder of src is a known layer", () => {
  const known = new Set([...Object.keys(mayImport), ...compositionRoots]);
  expect([...new Set(files.map(layerOf))].filter((layer) => !known.has(layer))).toEqual([]);
});

test("no layer imports a layer above it or beside it", () => {
  const broken = ordinary.filter((found) => !mayImport[found.layer]?.includes(found.targetLayer));
  expect(broken.map(({ file, targetLayer }) => `${file} imports ${targetLayer}`)).toEqual([]);
});

test("a layer with a door is entered through it", () => {
  const broken = imports.filter(
    ({ layer, target, targetLayer }) =>
      doors.has(targetLayer) && !isDoor(target, targetLayer) && !compositionRoots.has(layer),
  );
  expect(broken.map(({ file, target }) => `${file} imports ${relative(root, target)}`)).toEqual([]);
});

test("nothing but a composition root imports one, and the server knows nothing of tests", () => {
  const ofServer = imports.filter(({ layer, targetLayer }) => layer === "process" && targetLayer === "embedded");
  const broken = [...ordinary.filter(({ targetLayer }) => compositionRoots.has(targetLayer)), ...ofServer];
  expect(broken.map(({ file, target }) => `${file} imports ${relative(root, target)}`)).toEqual([]);
});

/** Files that import each other, directly or by way of others: every group of them, each sorted by name (Tarjan). */
function circlesOf(edges: ReadonlyMap<string, readonly string[]>): string[][] {
  const circles: string[][] = [];
  const order = new Map<string, number>();
  const lowest = new Map<string, number>();
  const open: string[] = [];
  const visit = (file: string): void => {
    order.set(file, order.size);
    lowest.set(file, order.get(file)!);
    open.push(file);
    for (const target of edges.get(file) ?? []) {
      if (!order.has(target)) visit(target);
      // A file that is closed belongs to a finished group, which cannot reach this one.
      if (open.includes(target)) lowest.set(file, Math.min(lowest.get(file)!, lowest.get(target)!));
    }
    if (lowest.get(file) !== order.get(file)) return;
    const group = open.splice(open.indexOf(file));
    if (group.length > 1) circles.push(group.sort());
  };
  for (const file of edges.keys()) if (!order.has(file)) visit(file);
  return circles;
}

test("no file imports itself by way of others, not even for a type", () => {
  expect(
    circlesOf(
      new Map([
        ["a", ["b"]],
        ["b", ["c", "d"]],
        ["c", ["a"]],
        ["d", []],
      ]),
    ),
  ).toEqual([["a", "b", "c"]]);
  const edges = new Map(files.map((file) => [file, importsOf(file).map(({ target }) => target)]));
  expect(circlesOf(edges).map((circle) => circle.map((file) => relative(root, file)))).toEqual([]);
});

test("the console's page uses nothing but a browser, and never takes text for markup", () => {
  const forbidden = /\bBun\b|\bBuffer\b|"node:|\b(?:inner|outer)HTML\b|dangerouslySetInnerHTML|insertAdjacentHTML/;
  const ofPage = files.filter((file) => layerOf(file) === "web");
  expect(ofPage.length).toBeGreaterThan(20);
  const broken = ofPage.filter((file) => forbidden.test(readFileSync(file, "utf8")));
  expect(broken.map((file) => relative(root, file))).toEqual([]);
});

test("every source file is used: imported from somewhere, or a program of its own", () => {
  const programs = new Set([
    "src/process/main.ts",
    "src/process/worker.ts",
    "src/process/login-worker.ts",
    "src/bench/main.ts",
    "src/doctor/main.ts",
    "src/backup/main.ts",
    "src/client/index.ts",
    "src/client/index.bun.ts",
    "src/client/index.node.ts",
    "src/web/main.tsx",
  ]);
  programs.add("src/transport/quic/sidecar.ts"); // run by another runtime
  for (const door of ["embedded/index.ts", "spawn/index.bun.ts", "spawn/index.node.ts"]) programs.add(`src/${door}`);
  const used = new Set(files.flatMap(importsOf).map(({ target }) => relative(root, target)));
  const dead = files.map((file) => relative(root, file)).filter((file) => !used.has(file) && !programs.has(file));
  expect(dead).toEqual([]);
});
