// The board and the alert rules ask only for metrics and labels that the broker has: what is renamed there would else fall silent.
import { describe, expect, test } from "bun:test";
import { ownMetrics } from "../../src/observability/counters.ts";
import { CommandCode } from "../../src/protocol/codes.ts";
import { originalNames } from "../../src/transport/http/metrics.ts";
import { read } from "../docs/markdown.ts";
import { metricsOf } from "./expression.ts";

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly description?: string };
}

interface Panel {
  readonly id: number;
  readonly title: string;
  readonly type: string;
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
}

const rules = (Bun.YAML.parse(read("packaging/compose/prometheus/rules.yml")) as { groups: { rules: Rule[] }[] }).groups
  .flatMap((group) => group.rules)
  .map((rule) => ({ name: rule.alert, texts: [JSON.stringify(rule.annotations)], ...rule }));
const board = JSON.parse(read("packaging/compose/grafana/dashboards/whippet.json")) as { readonly panels: Panel[] };
const targets = board.panels.flatMap(({ title, targets: all = [] }) =>
  all.map(({ expr, legendFormat }) => ({ name: `${title}: ${legendFormat}`, expr, legendFormat })),
);

/** Labels by the name of a series as Prometheus stores it. Those that Prometheus itself adds are allowed at every one. */
const labelsOfSeries = new Map<string, readonly string[]>([
  ["up", []],
  ...originalNames.map((name) => [name, []] as const),
  ...Object.values(ownMetrics).flatMap(({ name, type, labels }): [string, readonly string[]][] =>
    type !== "histogram"
      ? [[name, labels]]
      : [
          [`${name}_bucket`, [...labels, "le"]],
          [`${name}_count`, labels],
          [`${name}_sum`, labels],
        ],
  ),
]);
const labelsOfPrometheus = ["instance", "job"];

/** What in an expression the broker does not have. */
function strangersIn(expression: string): string[] {
  const { names, labels } = metricsOf(expression);
  const known = names.flatMap((name) => labelsOfSeries.get(name) ?? []);
  return [
    ...names.filter((name) => !labelsOfSeries.has(name)),
    ...labels.filter((label) => !known.includes(label) && !labelsOfPrometheus.includes(label)),
  ];
}

test("an expression is taken apart into metrics and labels", () => {
  const expression =
    'histogram_quantile(0.99, sum by (le, a) (rate(x_bucket{b=~"y_z", c!="1"}[5m]))) > 0.5 and on (d) delta(n[$__rate_interval] offset 1h) > 1e3';
  expect(metricsOf(expression)).toEqual({ names: ["x_bucket", "n"], labels: ["le", "a", "b", "c", "d"] });
  expect(strangersIn("sum by (shards) (whippet_mailbox_depths)")).toEqual(["whippet_mailbox_depths", "shards"]);
});

describe("alert rules", () => {
  test.each(rules)("$name asks for what there is, and shows labels that are left", ({ expr, texts }) => {
    expect(strangersIn(expr)).toEqual([]);
    const { names, labels } = metricsOf(expr);
    const shown = [...texts.join("").matchAll(/\$labels\.(\w+)/g)].map(([, label = ""]) => label);
    // What is summed has the labels that are named; what is not, all of its own.
    const isSummed = /\b(sum|max) by\b/.test(expr);
    const left = isSummed ? labels : names.flatMap((name) => labelsOfSeries.get(name) ?? []);
    expect(shown.filter((label) => !left.includes(label) && !(label === "instance" && !isSummed))).toEqual([]);
  });

  test("have names of their own, a severity, and cover what takes data or clients away", () => {
    const names = rules.map(({ alert }) => alert);
    expect(new Set(names).size).toBe(names.length);
    for (const { labels } of rules) expect(["critical", "warning"]).toContain(labels.severity);
    const asked = new Set(rules.flatMap(({ expr }) => metricsOf(expr).names));
    const { fencedPartitions, closedPartitions, refusedWrites, damagedMessages, stalledLoops, groupLag } = ownMetrics;
    for (const { name } of [
      fencedPartitions,
      closedPartitions,
      refusedWrites,
      damagedMessages,
      stalledLoops,
      groupLag,
    ]) {
      expect(asked).toContain(name);
    }
  });
});

/** Values of the label `command` that an expression asks for. */
function commandsIn(expression: string): string[] {
  return [...expression.matchAll(/command=~?"([^"]*)"/g)].flatMap(([, values = ""]) => values.split("|"));
}

test("board and rules name commands as /metrics does", () => {
  const asked = [...targets, ...rules].flatMap(({ expr }) => commandsIn(expr));
  expect(asked).toContain("send_messages");
  const known = Object.keys(CommandCode).map((name) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`));
  expect(asked.filter((command) => !known.includes(command))).toEqual([]);
});

describe("the board", () => {
  test.each(targets)("$name asks for what there is", ({ expr, legendFormat }) => {
    expect(strangersIn(expr)).toEqual([]);
    const shown = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label = ""]) => label);
    expect(metricsOf(expr).labels).toEqual(expect.arrayContaining(shown));
  });

  test("shows every metric of the broker's own, in panels with ids of their own", () => {
    const asked = new Set(
      targets.flatMap(({ expr }) => metricsOf(expr).names.map((name) => name.replace(/_(bucket|count)$/, ""))),
    );
    expect(Object.values(ownMetrics).flatMap(({ name }) => (asked.has(name) ? [] : [name]))).toEqual([]);
    const ids = board.panels.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });
});
