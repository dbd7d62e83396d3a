// The command line of the original's `iggy-bench` (spec SB 11.1), `[options] KIND [options] TRANSPORT [options] [output [options]]`, as the
// options of this bench: same words, aliases and defaults. A letter means something else behind each word. What is there without an
// effect on what is measured here is read and left; what would measure something else is refused.

import { cliOptions, UsageError } from "./options.ts";

/** What a line asks for, as it is read. */
interface Line {
  /** Options of this bench, in the order in which they were given. */
  readonly flags: string[];
  kind: OriginalKind | undefined;
  transport: string | undefined;
  streams: string | undefined;
  partitions: string | undefined;
  producers: string | undefined;
  consumers: string | undefined;
  groups: string | undefined;
  totalData: string | undefined;
  isTls: boolean;
}

interface OriginalKind {
  readonly kind: string;
  readonly isBalanced: boolean;
  readonly has: "producers" | "consumers" | "both";
}

const kindsByWord: Readonly<Record<string, OriginalKind>> = (() => {
  const rows: readonly (readonly [string, string, boolean, OriginalKind["has"]])[] = [
    ["pinned-producer pp", "pinned-producer", false, "producers"],
    ["pinned-consumer pc", "pinned-consumer", false, "consumers"],
    ["pinned-producer-and-consumer ppc", "pinned-producer-and-consumer", false, "both"],
    ["balanced-producer bp", "balanced-producer", true, "producers"],
    ["balanced-consumer-group bcg", "balanced-consumer-group", true, "consumers"],
    ["balanced-producer-and-consumer-group bpcg", "balanced-producer-and-consumer-group", true, "both"],
    ["end-to-end-producing-consumer e2e", "end-to-end", false, "producers"],
    ["single-send", "single-send", false, "producers"],
    ["single-poll", "single-poll", false, "consumers"],
  ];
  return Object.fromEntries(
    rows.flatMap(([words, kind, isBalanced, has]) => words.split(" ").map((word) => [word, { kind, isBalanced, has }])),
  );
})();

const transportsByWord: Readonly<Record<string, string>> = {
  tcp: "tcp",
  quic: "quic",
  http: "http",
  websocket: "websocket",
  ws: "websocket",
  tls: "tls",
  wss: "wss",
  https: "https",
};
const encryptedOf: Readonly<Record<string, string>> = { tcp: "tls", websocket: "wss" };

const defaultActors = "8";
const defaultBalancedPartitions = "24";

/** An option of a part of the line; `take` undefined: read, without an effect here. */
interface Rule {
  readonly isFlag: boolean;
  readonly take: ((line: Line, value: string) => void) | undefined;
}

const to = (flag: string, changed = (value: string) => value): Rule => ({
  isFlag: false,
  take: ({ flags }, value) => flags.push(flag, changed(value)),
});
const keptAs = (name: "streams" | "partitions" | "producers" | "consumers" | "groups" | "totalData"): Rule => ({
  isFlag: false,
  take: (line, value) => {
    line[name] = value;
  },
});
const ignored: Rule = { isFlag: false, take: undefined };
const ignoredFlag: Rule = { isFlag: true, take: undefined };
const refused = (why: string, isFlag = false): Rule => ({
  isFlag,
  take: () => {
    throw new UsageError(why);
  },
});
const onlyAs = (usual: string, what: string): Rule => ({
  isFlag: false,
  take: (_, value) => {
    if (value !== usual) throw new UsageError(`the topics of this bench have ${what} ${usual}, not "${value}"`);
  },
});

type Rules = Readonly<Record<string, Rule>>;

const globalRules: Rules = {
  "-m --message-size": to("--message-size"),
  "-P --messages-per-batch": to("--messages-per-batch"),
  "-b --message-batches": to("--batches"),
  "-T --total-data": keptAs("totalData"),
  "-r --rate-limit": to("--rate-limit"),
  "-w --warmup-time": to("--warmup", secondsOf),
  "-t --sampling-time": ignored,
  "-W --moving-average-window": ignored,
  "-H --high-level-api": refused("--high-level-api is not in this bench: it measures the protocol", true),
  "-u --username": to("--username"),
  "-p --password": to("--password"),
  "--pretty": ignoredFlag,
  "--reuse-streams": refused(
    "--reuse-streams is not in this bench: consumers read what is there, producers begin anew",
    true,
  ),
};

const kindRules: Rules = {
  "-s --streams": keptAs("streams"),
  "-a --partitions": keptAs("partitions"),
  "-p --producers": keptAs("producers"),
  "-c --consumers": keptAs("consumers"),
  "-g --consumer-groups": keptAs("groups"),
  "-T --max-topic-size": onlyAs("unlimited", "the size"),
  "-e --message-expiry": onlyAs("never", "the expiry"),
  "-R --read-amplification": ignored,
};

const transportRules: Rules = {
  "--server-address": to("--server"),
  "--client-address": ignored,
  "--nodelay": ignoredFlag,
  "--tls": {
    isFlag: true,
    take: (line) => {
      line.isTls = true;
    },
  },
  "--tls-domain": to("--server-name"),
  "--tls-ca-file": to("--ca"),
  "--tls-validate-certificate": ignoredFlag,
  "--validate-certificate": ignoredFlag,
};

const outputRules: Rules = {
  "-o --output-dir": to("--output"),
  "--identifier": to("--label", (value) => `identifier=${value}`),
  "--remark": to("--label", (value) => `remark=${value}`),
  "--extra-info": to("--label", (value) => `extra_info=${value}`),
  "--gitref": to("--label", (value) => `gitref=${value}`),
  "--gitref-date": to("--label", (value) => `gitref_date=${value}`),
  "-c --open-charts": refused("--open-charts: this bench has no charts", true),
};

/** Whether a command line is in the original's form: its first word that is no option, or the value of one, names a kind. */
export function isOriginalLine(args: readonly string[]): boolean {
  for (let index = 0; index < args.length; index++) {
    const text = args[index] ?? "";
    if (!text.startsWith("-")) return true;
    const rule = ruleOf(globalRules, optionNameOf(text)) ?? ownRuleOf(optionNameOf(text));
    if (rule === undefined) return false;
    if (!rule.isFlag && !text.includes("=")) index++;
  }
  return false;
}

/** The same as options of this bench. UsageError if this bench cannot do it, or if something is not known. */
export function optionsOfOriginalLine(args: readonly string[]): readonly string[] {
  const line: Line = {
    flags: [],
    kind: undefined,
    transport: undefined,
    streams: undefined,
    partitions: undefined,
    producers: undefined,
    consumers: undefined,
    groups: undefined,
    totalData: undefined,
    isTls: false,
  };
  let rules = globalRules;
  for (let index = 0; index < args.length; index++) {
    const text = args[index] ?? "";
    if (!text.startsWith("-")) {
      // The help has the examples.
      if (rules === globalRules && (text === "examples" || text === "e")) return ["--help"];
      rules = takeWord(line, text, rules);
      continue;
    }
    const [name, given] = partsOf(text);
    const rule = ruleOf(rules, name) ?? ownRuleOf(name);
    if (rule === undefined) throw new UsageError(`${name} is not known here; see --help`);
    if (!rule.isFlag && given === undefined) index++;
    const value = rule.isFlag ? "" : (given ?? args[index]);
    if (value === undefined) throw new UsageError(`${name} needs a value`);
    rule.take?.(line, value);
  }
  return finished(line);
}

/** Takes a word; the rules of what follows. */
function takeWord(line: Line, word: string, rules: Rules): Rules {
  if (rules === globalRules) {
    line.kind = kindsByWord[word];
    if (line.kind === undefined) throw new UsageError(unknownKind(word));
    return kindRules;
  }
  if (rules === kindRules) {
    line.transport = transportsByWord[word];
    if (line.transport === undefined) {
      throw new UsageError(`"${word}" is no transport: one of ${Object.keys(transportsByWord).join(", ")}`);
    }
    return transportRules;
  }
  if (rules === transportRules && word === "output") {
    line.flags.push("--output", "performance_results");
    return outputRules;
  }
  throw new UsageError(`"${word}" stands where nothing is expected`);
}

function unknownKind(word: string): string {
  if (word === "end-to-end-producing-consumer-group" || word === "e2ecg") {
    return `${word} is not in this bench; balanced-producer-and-consumer-group measures the way through a group`;
  }
  return `"${word}" is no kind: one of ${Object.keys(kindsByWord).join(", ")}`;
}

function finished(line: Line): readonly string[] {
  const { flags, kind, transport = "tcp", isTls } = line;
  if (kind === undefined) throw new UsageError("a kind is missing; see --help");
  const encrypted = isTls ? encryptedOf[transport] : transport;
  if (encrypted === undefined) throw new UsageError(`--tls is for ${Object.keys(encryptedOf).join(" and ")}`);
  const actors = actorsOf(line, kind);
  checkPlaces(line, kind, actors);
  const partitions = kind.isBalanced ? ["--partitions", line.partitions ?? defaultBalancedPartitions] : [];
  const total = line.totalData === undefined ? [] : ["--total-data", line.totalData];
  return ["--kind", kind.kind, "--transport", encrypted, "--actors", actors, ...partitions, ...total, ...flags];
}

function actorsOf({ producers, consumers }: Line, { kind, has }: OriginalKind): string {
  if (has !== "consumers" && consumers !== undefined && has !== "both")
    throw new UsageError(`${kind} has no --consumers`);
  if (has === "consumers" && producers !== undefined) throw new UsageError(`${kind} has no --producers`);
  const actors =
    (has === "consumers" ? consumers : producers) ?? (has === "both" ? consumers : undefined) ?? defaultActors;
  if (has === "both" && (producers ?? defaultActors) !== (consumers ?? defaultActors)) {
    throw new UsageError(`this bench has as many consumers as producers: -p ${actors} -c ${actors}`);
  }
  return actors;
}

/** Each actor of a pinned kind has a stream with one partition; those of a balanced one share one stream, and a group. */
function checkPlaces({ streams, partitions, groups }: Line, { kind, isBalanced }: OriginalKind, actors: string): void {
  const streamsHere = isBalanced ? "1" : actors;
  if (streams !== undefined && streams !== streamsHere) {
    throw new UsageError(
      `this bench has ${isBalanced ? "one stream" : "a stream for each actor"}: -s ${streamsHere} with ${kind}`,
    );
  }
  if (!isBalanced && partitions !== undefined && partitions !== "1") {
    throw new UsageError(`the streams of ${kind} have one partition`);
  }
  if (groups !== undefined && groups !== "1") throw new UsageError("this bench has one consumer group");
}

function ruleOf(rules: Rules, name: string): Rule | undefined {
  return Object.entries(rules).find(([names]) => names.split(" ").includes(name))?.[1];
}

/** An option of this bench may stand anywhere. */
function ownRuleOf(name: string): Rule | undefined {
  const own = Object.entries(cliOptions).find(
    ([long, option]) => name === `--${long}` || ("short" in option && name === `-${option.short}`),
  );
  if (own === undefined) return undefined;
  const [long, { type }] = own;
  const isFlag = type === "boolean";
  return { isFlag, take: ({ flags }, value) => flags.push(`--${long}`, ...(isFlag ? [] : [value])) };
}

function partsOf(text: string): readonly [name: string, value: string | undefined] {
  const equals = text.indexOf("=");
  return equals < 0 ? [text, undefined] : [text.slice(0, equals), text.slice(equals + 1)];
}

function optionNameOf(text: string): string {
  return partsOf(text)[0];
}

/** Seconds of `2s`, `500ms`, `1m` or a number. */
function secondsOf(text: string): string {
  const [, digits, unit = "s"] = /^(\d+(?:\.\d+)?) ?(ms|s|sec|m|min)?$/.exec(text) ?? [];
  const factor = unit === "ms" ? 0.001 : unit.startsWith("m") ? 60 : 1;
  if (digits === undefined) throw new UsageError(`--warmup-time takes a duration such as 2s, not "${text}"`);
  return String(Number(digits) * factor);
}
