// The texts of help: an overview of all words, and for each command a short one (-h) and a long one (--help).

import type { Command } from "./command.ts";
import { everywhereOptions, originalOptions, withoutThoseOf } from "./global-options.ts";
import type { Styles } from "./output/styles.ts";
import type { Argument, Option } from "./parameter.ts";
import type { Word, WordGroup } from "./word.ts";

const indent = "  ";

/** Two columns. */
function pairs(entries: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(0, ...entries.map(([left]) => left.length));
  return entries.map(([left, right]) => `${indent}${left.padEnd(width)}   ${right}`.trimEnd());
}

function section(title: string, lines: readonly string[], styles: Styles): string[] {
  return lines.length === 0 ? [] : ["", styles.bold(title), ...lines];
}

function optionPairs(options: readonly Option<unknown>[], isLong: boolean): [string, string][] {
  return options
    .filter(({ isIgnored }) => isLong || !isIgnored)
    .map(({ flags, doc }) => [flags.startsWith("--") ? `    ${flags}` : flags, doc]);
}

function argumentText(name: string, { arity }: Argument<unknown>): string {
  if (arity === "one") return `<${name}>`;
  return arity === "optional" ? `[${name}]` : `[${name}...]`;
}

/** `whippet topic create [options] <stream> <name> …` */
export function usageOf({ words, arguments: args, options }: Command): string {
  const places = Object.entries(args).map(([name, argument]) => argumentText(kebab(name), argument));
  return ["whippet", ...words, ...(Object.keys(options).length > 0 ? ["[options]"] : []), ...places].join(" ");
}

/** `partitionsCount` as it stands in texts. */
export function kebab(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** Help of a command. */
export function commandHelp(command: Command, isLong: boolean, styles: Styles): string {
  const { summary, details, examples } = command;
  const args = Object.entries(command.arguments).map(
    ([name, argument]) => [argumentText(kebab(name), argument), argument.doc] as const,
  );
  const own = Object.values(command.options);
  const everywhere = withoutThoseOf(own, Object.values(everywhereOptions));
  const shown = isLong ? examples : examples.slice(0, 2);
  const lines = [
    `${summary}.`,
    ...(isLong && details !== undefined ? ["", ...details.split("\n")] : []),
    "",
    `${styles.bold("Usage:")} ${usageOf(command)}`,
    ...section("Arguments:", pairs(args), styles),
    ...section("Options:", pairs(optionPairs(own, isLong)), styles),
    ...(isLong ? section("Everywhere:", pairs(optionPairs(everywhere, true)), styles) : []),
    ...section(
      "Examples:",
      shown.map((example) => `${indent}whippet ${example}`),
      styles,
    ),
    ...(isLong ? [] : ["", `More: whippet ${command.words.join(" ")} --help`]),
  ];
  return `${lines.join("\n")}\n`;
}

/** Help of a word with subcommands. */
export function wordHelp({ word, alias, summary }: Word, commands: readonly Command[], styles: Styles): string {
  const entries = commands.map((command): [string, string] => {
    const name = command.words.at(-1) ?? "";
    return [command.alias === undefined ? name : `${name}, ${command.alias}`, command.summary];
  });
  const lines = [
    `${summary}.`,
    "",
    `${styles.bold("Usage:")} whippet ${word} COMMAND${alias === undefined ? "" : `       (or: whippet ${alias} COMMAND)`}`,
    ...section("Commands:", pairs(entries), styles),
    "",
    `More: whippet ${word} COMMAND --help`,
  ];
  return `${lines.join("\n")}\n`;
}

/** Help of the program. */
export function overview(version: string, groups: readonly WordGroup[], isLong: boolean, styles: Styles): string {
  const names = groups.flatMap(({ words }) => words.map(nameOf));
  const width = Math.max(...names.map((name) => name.length));
  const lines = [
    `whippet ${version}: a persistent message-streaming broker, and everything to work with one`,
    "",
    `${styles.bold("Usage:")} whippet [options] COMMAND`,
    `       whippet [server options]      starts a server: whippet server --help`,
    ...groups.flatMap(({ title, words }) =>
      section(
        `${title}:`,
        words.map((word) => `${indent}${nameOf(word).padEnd(width)}   ${word.summary}`),
        styles,
      ),
    ),
    ...section("Options:", pairs(overviewOptions(isLong)), styles),
    ...section(
      "Examples:",
      [
        `${indent}whippet --fresh --with-default-root-credentials       an empty server to try things out`,
        `${indent}whippet -u iggy -p iggy stream list`,
      ],
      styles,
    ),
    "",
    isLong ? "More: whippet COMMAND --help" : "More: whippet --help, whippet COMMAND --help",
  ];
  return `${lines.join("\n")}\n`;
}

const shortOptions = ["url", "context", "json"] as const;

function overviewOptions(isLong: boolean): [string, string][] {
  const own: [string, string][] = [
    ["-h, --help", "This text: -h the short one"],
    ["-V, --version", "The version"],
  ];
  if (isLong) {
    const everywhere = optionPairs(Object.values(everywhereOptions), true);
    return [...own, ...optionPairs(Object.values(originalOptions), true), ...everywhere];
  }
  const { username, password, token } = originalOptions;
  return [
    ...own,
    ...optionPairs([username, password, token, ...shortOptions.map((name) => everywhereOptions[name])], false),
  ];
}

function nameOf({ word, alias }: Word): string {
  return alias === undefined ? word : `${word}, ${alias}`;
}
