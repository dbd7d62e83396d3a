// Every word, alias, argument and option of the original's command line is one here, with the same meaning of its place.

import { expect, test } from "bun:test";
import type { Command } from "../../src/cli/command.ts";
import { everywhereOptions, ignoredOptions, originalOptions } from "../../src/cli/global-options.ts";
import type { Argument, Option } from "../../src/cli/parameter.ts";
import { words } from "../../src/cli/words.ts";
import { type OriginalCommand, originalCommands, originalOptions as theirs } from "./original-words.ts";

const loaded = await Promise.all(
  words.map(async (word) => ((await word.load?.()) ?? []).map((command) => ({ word, command }))),
);
const all = loaded.flat();

/** As the table writes it. */
function optionText({ flags, arity }: Option<unknown>): string {
  const names = flags.replace(/\s*[<[].*$/, "").trim();
  if (arity === "flag") return names;
  if (flags.includes("[")) return `${names} =?`;
  return `${names} ${arity === "one" ? "=" : "=*"}`;
}

function argumentText({ arity }: Argument<unknown>): string {
  return { one: "1", optional: "?", many: "*" }[arity];
}

function textOf(command: Command, wordAlias: string | undefined): OriginalCommand {
  const aliases = command.words.length === 1 ? (wordAlias ?? "") : `${wordAlias ?? "-"} ${command.alias ?? "-"}`;
  return {
    words: command.words.join(" "),
    aliases,
    arguments: Object.values(command.arguments).map(argumentText).join(" "),
    options: Object.values(command.options).map(optionText),
  };
}

test.each(originalCommands.map((command) => [command.words, command] as const))("%s", (name, theirCommand) => {
  const found = all.find(({ command }) => command.words.join(" ") === name);
  const ours = found && textOf(found.command, found.word.alias);
  // A password that is left out is asked for: the only argument of theirs that need not be given here.
  const args = name === "user create" ? "1 ?" : theirCommand.arguments;
  expect(ours).toMatchObject({ words: name, aliases: theirCommand.aliases, arguments: args });
  expect(ours?.options).toEqual(expect.arrayContaining([...theirCommand.options]));
});

test("the options of the program", () => {
  const ours = [...Object.values(originalOptions), ...ignoredOptions].map(optionText);
  expect(ours.toSorted()).toEqual(theirs.toSorted());
});

test("no new option of the program is an old one of a command", () => {
  const longOf = ({ flags }: Option<unknown>) => /--[\w-]+/.exec(flags)?.[0];
  const mine = Object.values(everywhereOptions).map(longOf);
  const taken = originalCommands.flatMap(({ options }) => options.map((text) => /--[\w-]+/.exec(text)?.[0]));
  expect(mine.filter((name) => taken.includes(name))).toEqual([]);
});

test("every command has a summary without a full stop, and two examples that begin with its words", () => {
  for (const { command } of all) {
    expect([command.words, command.summary.endsWith(".")]).toEqual([command.words, false]);
    expect([command.words, command.examples.length >= 2]).toEqual([command.words, true]);
  }
});
