// Completion in shells: scripts for bash, zsh, fish and PowerShell, and the words that they ask for while somebody types. Everything
// that is known of @bomb.sh/tab is in this file.

import { type Complete, type Command as Node, RootCommand } from "@bomb.sh/tab";
import type { Client } from "../client/index.bun.ts";
import type { Command } from "./command.ts";
import { everywhereOptions, type GlobalOptions, originalOptions } from "./global-options.ts";
import { kebab } from "./help.ts";
import type { Host } from "./host.ts";
import { Output } from "./output/output.ts";
import { stylesOf } from "./output/styles.ts";
import type { Completes, Option } from "./parameter.ts";
import { Session } from "./session.ts";
import { identifier, identifierText } from "./values.ts";
import type { Word } from "./word.ts";

export const shells = ["bash", "zsh", "fish", "powershell"] as const;
export type Shell = (typeof shells)[number];

/** Who waits for names has a key under the finger. */
const namesMs = 300;

const globalOptions: Readonly<Record<string, Option<unknown>>> = { ...originalOptions, ...everywhereOptions };

/** What a shell is to read to complete `whippet`. */
export function completionScript(shell: Shell): string {
  return printed(() => new RootCommand().setup("whippet", "whippet", shell));
}

/** The answer to a script of a shell: `args` is the line so far, the last one what is being typed. */
export async function completions(args: readonly string[], words: readonly Word[], host: Host): Promise<string> {
  const line = new Line(args.slice(0, -1));
  const [first, second] = line.places;
  const word = words.find(
    (candidate) => candidate.word === first || (first !== undefined && candidate.alias === first),
  );
  const commands = (await word?.load?.()) ?? [];
  const command = commandOf(commands, second);
  const root = new RootCommand();
  for (const option of Object.values(globalOptions)) addOption(root, option);
  for (const { word: name, summary } of words) root.command(name, summary);
  for (const { words: names, summary } of commands) {
    if (names.length > 1) root.command(names.join(" "), summary);
  }
  if (command !== undefined) await addParameters(root, command, line, host);
  return printed(() => root.parse([...fullWords(args, word, command)]));
}

/** The library writes to the console. */
function printed(write: () => void): string {
  const log = console.log;
  let text = "";
  console.log = (line: string) => {
    text += `${line}\n`;
  };
  try {
    write();
  } finally {
    console.log = log;
  }
  return text;
}

function commandOf(commands: readonly Command[], given: string | undefined): Command | undefined {
  return commands.find(({ words: names, alias }) => {
    if (names.length === 1) return true;
    return given !== undefined && (names[1] === given || alias === given);
  });
}

/** Aliases as the words that they stand for: the library knows no aliases. */
function fullWords(args: readonly string[], word: Word | undefined, command: Command | undefined): string[] {
  const full = new Map<string, string>();
  if (word?.alias !== undefined) full.set(word.alias, word.word);
  const last = args.length - 1;
  const first = args.findIndex((arg) => arg === word?.word || arg === word?.alias);
  return args.map((arg, index) => {
    if (index === last) return arg;
    if (index === first) return full.get(arg) ?? arg;
    return index === first + 1 && arg === command?.alias ? (command.words[1] ?? arg) : arg;
  });
}

/** Long and short name of an option, without dashes. */
function namesOf({ flags }: Option<unknown>): { readonly long: string; readonly short: string | undefined } {
  return { long: /--([\w-]+)/.exec(flags)?.[1] ?? "", short: /(?:^|\s)-(\w)/.exec(flags)?.[1] };
}

function addOption(node: Node, option: Option<unknown>): void {
  const { long, short } = namesOf(option);
  if (option.arity === "flag") node.option(long, option.doc, short);
  else {
    // Without a function the library takes an option for one without a value.
    node.option(long, option.doc, completeWith(option.choices), short);
  }
}

function completeWith(texts: readonly string[]): (complete: Complete) => void {
  return (complete) => {
    for (const text of texts) complete(text, "");
  };
}

async function addParameters(root: RootCommand, command: Command, line: Line, host: Host): Promise<void> {
  const name = command.words.join(" ");
  const node = root.command(name, command.summary);
  for (const option of [...Object.values(command.options), ...Object.values(everywhereOptions)])
    addOption(node, option);
  const given = line.places.slice(command.words.length);
  const places = Object.entries(command.arguments);
  const current = Math.min(given.length, places.length - 1);
  for (const [index, [key, argument]] of places.entries()) {
    const names =
      index === current && argument.completes !== undefined
        ? await namesFrom(
            argument.completes,
            places.map(([place]) => place),
            given,
            line,
            host,
          )
        : argument.choices;
    node.argument(kebab(key), completeWith(names), argument.arity === "many");
  }
}

/** Options and words of a line that is not finished. */
class Line {
  readonly places: readonly string[];
  readonly #given = new Map<Option<unknown>, string[]>();

  constructor(args: readonly string[]) {
    const places: string[] = [];
    for (let index = 0; index < args.length; index++) {
      const arg = args[index] ?? "";
      if (!arg.startsWith("-") || arg === "-") {
        places.push(arg);
        continue;
      }
      const [name = "", attached] = arg.split("=", 2);
      const option = Object.values(globalOptions).find((candidate) => {
        const { long, short } = namesOf(candidate);
        // Short ones are the program's only before the first word.
        return name === `--${long}` || (places.length === 0 && short !== undefined && name === `-${short}`);
      });
      if (option === undefined || option.arity === "flag") continue;
      const value = attached ?? args[++index];
      if (value !== undefined) this.#given.set(option, [...(this.#given.get(option) ?? []), value]);
    }
    this.places = places;
  }

  get options(): GlobalOptions {
    const entries = Object.entries(globalOptions).map(([name, option]) => [name, option.read(this.#given.get(option))]);
    // Each value is read by the definition that its type is inferred from.
    return Object.fromEntries(entries) as GlobalOptions;
  }
}

/** Names from the files here or from the server; none if they do not come in time, or a password would have to be asked for. */
async function namesFrom(
  kind: Completes,
  places: readonly string[],
  given: readonly string[],
  line: Line,
  host: Host,
): Promise<readonly string[]> {
  if (kind === "files") return [];
  const silent: Host = { ...host, stdin: noStdin };
  const sink = { isTerminal: false, size: undefined, write: async () => undefined };
  const styles = stylesOf(false);
  const output = new Output({
    stdout: sink,
    stderr: sink,
    format: "table",
    isQuiet: true,
    styles,
    problemStyles: styles,
    pager: undefined,
    nowMs: host.nowMs,
  });
  const givenFor = (place: string) => given[places.indexOf(place)];
  const late = Bun.sleep(namesMs).then((): readonly string[] => []);
  try {
    return await Promise.race([ask(kind, new Session(silent, line.options, output), givenFor), late]);
  } catch {
    return []; // whatever it is: nothing is completed, and nothing may be written between the keys
  }
}

const noStdin: Host["stdin"] = {
  isTerminal: false,
  read: async () => undefined,
  line: async () => undefined,
  setRaw: () => undefined,
};

async function ask(
  kind: Completes,
  session: Session,
  givenFor: (place: string) => string | undefined,
): Promise<readonly string[]> {
  if (kind === "contexts") return [...(await session.contexts.all()).keys()];
  const client = await session.connect();
  try {
    return (await namesOn(client, kind, givenFor)).map((value) => identifierText({ kind: "string", value }));
  } finally {
    await client.close();
  }
}

async function namesOn(
  client: Client,
  kind: Completes,
  givenFor: (place: string) => string | undefined,
): Promise<readonly string[]> {
  const nameOf = ({ name }: { readonly name: string }) => name;
  if (kind === "users") return (await client.getUsers()).map(({ username }) => username);
  if (kind === "streams") return (await client.getStreams()).map(nameOf);
  const [stream, topic] = [givenFor("stream"), givenFor("topic")];
  if (stream === undefined) return [];
  if (kind === "topics") return (await client.getTopics(identifier(stream))).map(nameOf);
  if (kind !== "groups" || topic === undefined) return [];
  return (await client.getConsumerGroups(identifier(stream), identifier(topic))).map(nameOf);
}
