// The Helm chart, as far as it can be judged without Helm, which no registry has as a program: what templates ask for is in the
// values, every value is asked for, and with its expressions filled in each manifest is YAML with what a pod needs.
import { describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { parseListenAddress } from "../../src/config/address.ts";
import { healthPaths } from "../../src/transport/http/routes/health.ts";
import { load } from "../config/support.ts";
import { read, root } from "../docs/markdown.ts";

const chart = "packaging/helm/whippet";
const values = Bun.YAML.parse(read(`${chart}/values.yaml`)) as Record<string, unknown>;
const schema = JSON.parse(read(`${chart}/values.schema.json`)) as SchemaNode;
const templates = readdirSync(join(root, chart, "templates")).map((name) => ({
  name,
  text: read(`${chart}/templates/${name}`),
}));
const allText = templates.map(({ text }) => text).join("\n");

interface SchemaNode {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly additionalProperties?: unknown;
}

function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Paths of the values that are no tables, or empty ones, and of the tables around them. */
function pathsOf(table: Record<string, unknown>, prefix = ""): { leaves: string[]; tables: string[] } {
  const leaves: string[] = [];
  const tables: string[] = [];
  for (const [key, value] of Object.entries(table)) {
    const path = prefix + key;
    if (!isTable(value) || Object.keys(value).length === 0) leaves.push(path);
    else {
      const below = pathsOf(value, `${path}.`);
      tables.push(path, ...below.tables);
      leaves.push(...below.leaves);
    }
  }
  return { leaves, tables };
}

/** Every `.Values.a.b` of the templates. */
const asked = new Set([...allText.matchAll(/\.Values\.([A-Za-z.]+)/g)].map(([, path = ""]) => path.replace(/\.$/, "")));

/**
 * A manifest whose expressions are replaced: the blocks of conditions and loops by what is in them, lists and tables by nothing,
 * everything else by its value, or a word. It is not what Helm makes of it, but it is YAML where that is.
 */
function filledIn(text: string): unknown[] {
  const valueAt = (path: string): unknown =>
    path.split(".").reduce<unknown>((at, key) => (isTable(at) ? at[key] : undefined), values);
  const plain = text
    .split("\n")
    .filter((line) => !/^\s*\{\{-? *(if|else|end|with|range|include|toYaml)\b[^\n]*\}\}$/.test(line))
    .join("\n")
    .replace(/\{\{-?([^}]*)-?\}\}/g, (_, expression: string) => {
      const [, path] = /\.Values\.([A-Za-z.]+)/.exec(expression) ?? [];
      const value = path === undefined ? undefined : valueAt(path);
      return typeof value === "number" && !expression.includes("div ") ? String(value) : "word";
    });
  return plain.split(/^---$/m).map((part) => Bun.YAML.parse(part));
}

describe("values", () => {
  const { leaves, tables } = pathsOf(values);

  test("are all there that templates ask for", () => {
    const known = new Set([...leaves, ...tables]);
    expect([...asked].filter((path) => !known.has(path))).toEqual([]);
  });

  test("are all asked for", () => {
    const isAsked = (path: string) => [...asked].some((each) => path === each || path.startsWith(`${each}.`));
    expect(leaves.filter((path) => !isAsked(path))).toEqual([]);
  });

  test("are all in the schema, which knows no others", () => {
    const inSchema = (path: string) =>
      path
        .split(".")
        .reduce<SchemaNode | undefined>((at, key) => (at?.properties === undefined ? at : at.properties[key]), schema);
    expect([...leaves, ...tables].filter((path) => inSchema(path) === undefined)).toEqual([]);
    const spelled = (node: SchemaNode, prefix: string): string[] =>
      Object.entries(node.properties ?? {}).flatMap(([key, below]) => [
        prefix + key,
        ...spelled(below, `${prefix}${key}.`),
      ]);
    const all = new Set([...leaves, ...tables, "global"]); // what Helm itself puts there
    expect(spelled(schema, "").filter((path) => !all.has(path))).toEqual([]);
    expect(schema.additionalProperties).toBe(false);
  });

  test("have the ports of the broker, and no password", () => {
    const { config } = load({});
    const ports = Object.fromEntries(
      (["tcp", "quic", "http", "websocket"] as const).map((name) => [
        name,
        parseListenAddress(config[name].address)?.port,
      ]),
    );
    expect(values.ports).toEqual(ports);
    expect(values.root).toMatchObject({ password: "", existingSecret: "" });
  });
});

describe("templates", () => {
  test("open and close their blocks, and include only what is defined", () => {
    for (const { name, text } of templates) {
      const opened = [...text.matchAll(/\{\{-? *(if|with|range|define)\b/g)].length;
      expect([name, [...text.matchAll(/\{\{-? *end *-?\}\}/g)].length]).toEqual([name, opened]);
    }
    const namesAfter = (word: string) =>
      [...allText.matchAll(new RegExp(`${word} "([^"]+)"`, "g"))].map(([, each]) => each);
    const defined = new Set(namesAfter("define"));
    expect(namesAfter("include").filter((each) => !defined.has(each))).toEqual([]);
  });

  const kinds = (name: string) => filledIn(read(`${chart}/templates/${name}`));

  test("make one stateful set with one replica, a claim, probes of the broker's, and no rights", () => {
    const [set] = kinds("statefulset.yaml");
    const health = (path: string) => ({ httpGet: { path, port: "http" } });
    expect(healthPaths.map(String)).toEqual(["/health/live", "/health/ready"]);
    expect(set).toMatchObject({
      kind: "StatefulSet",
      spec: {
        replicas: 1,
        template: {
          spec: {
            automountServiceAccountToken: false,
            securityContext: { runAsNonRoot: true, runAsUser: 10001, seccompProfile: { type: "RuntimeDefault" } },
            containers: [
              {
                securityContext: {
                  allowPrivilegeEscalation: false,
                  readOnlyRootFilesystem: true,
                  capabilities: { drop: ["ALL"] },
                },
                startupProbe: health("/health/ready"),
                livenessProbe: health("/health/live"),
                readinessProbe: health("/health/ready"),
                volumeMounts: [{ name: "data", mountPath: "/var/lib/whippet" }, { name: "tmp" }],
              },
            ],
          },
        },
        volumeClaimTemplates: [{ metadata: { name: "data" } }],
      },
    });
  });

  test("set keys that the broker knows", () => {
    const text = read(`${chart}/templates/statefulset.yaml`);
    const names = [...text.matchAll(/name: (IGGY_[A-Z_]+)/g)].map(([, name = ""]) => name);
    expect(names).toHaveLength(7);
    const environment = Object.fromEntries(
      names.map((name) => [name, name.endsWith("_ADDRESS") ? "0.0.0.0:0" : "word"]),
    );
    expect(load({ environment }).warnings.filter((line) => line.includes("IGGY_"))).toEqual([]);
  });

  test("make two services, and a secret with what the first start needs", () => {
    expect(kinds("service.yaml")).toMatchObject([
      { kind: "Service" },
      { kind: "Service", spec: { clusterIP: "None" } },
    ]);
    expect(kinds("secret.yaml")).toMatchObject([
      { kind: "Secret", stringData: { username: "word", password: "word" } },
    ]);
  });
});
