// The program: reads the command line, loads the command that it names, and runs it.

import { CommanderError, Argument as ParsedArgument, Command as Parser, Option as ParserOption } from "commander";
import type { Client } from "../client/index.bun.ts";
import { distanceOf, nearestName } from "../protocol/nearest-name.ts";
import type { Command } from "./command.ts";
import {
  everywhereOptions,
  flagNames,
  type GlobalOptions,
  ignoredOptions,
  originalOptions,
  withoutThoseOf,
} from "./global-options.ts";
import { commandHelp, kebab, overview, usageOf, wordHelp } from "./help.ts";
import type { Host } from "./host.ts";
import { Interrupted } from "./interrupted.ts";
import { type Format, Output } from "./output/output.ts";
import { isColored, stylesOf } from "./output/styles.ts";
import type { Option } from "./parameter.ts";
import { type Circumstances, ExitCode, problemOf } from "./problems.ts";
import { Session } from "./session.ts";
import { UsageError } from "./usage-error.ts";
import type { Word } from "./word.ts";
import { wordGroups, words } from "./words.ts";

type Options = Readonly<Record<string, Option<unknown>>>;

/** Runs a command line (without the program's name) and resolves with the exit code. */
export async function runProgram(args: readonly string[], version: string, host: Host): Promise<number> {
  if (args[0] === "complete" && args[1] === "--") return await complete(args.slice(2), host);
  return await new Program(version, host).run(args);
}

/** Answers a script of a shell, which `whippet completion` has written. */
async function complete(args: readonly string[], host: Host): Promise<number> {
  const { completions } = await import("./completion.ts");
  await host.stdout.write(await completions(args, words, host));
  return ExitCode.done;
}

class Program {
  readonly #version: string;
  readonly #host: Host;
  #exitCode: number = ExitCode.done;

  constructor(version: string, host: Host) {
    this.#version = version;
    this.#host = host;
  }

  async run(args: readonly string[]): Promise<number> {
    const { stdout, stderr } = this.#host;
    const isLong = args.includes("--help") || args.includes("help");
    const written = { out: "", err: "" };
    const parser = this.#parser(isLong, {
      writeOut: (text) => {
        written.out += text;
      },
      writeErr: (text) => {
        written.err += text;
      },
    });
    try {
      await parser.parseAsync(withoutHelpWord(args), { from: "user" });
    } catch (error) {
      if (error instanceof UsageError) {
        await stderr.write(`whippet: ${error.message}\n`);
        return ExitCode.usage;
      }
      if (!(error instanceof CommanderError)) throw error;
      if (written.out !== "") await stdout.write(written.out);
      if (error.exitCode === 0) return ExitCode.done;
      // With a word in front the command line cannot be meant for the server.
      const isForServer = error.code === "commander.unknownOption" && args[0]?.startsWith("-");
      const hint = isForServer ? "  Options of the server: whippet server --help\n" : "";
      if (written.err !== "") await stderr.write(`whippet: ${written.err.replace(/^error: /, "")}${hint}`);
      return ExitCode.usage;
    }
    return this.#exitCode;
  }

  #parser(isLong: boolean, output: { writeOut(text: string): void; writeErr(text: string): void }): Parser {
    const { environment, stdout } = this.#host;
    const styles = stylesOf(isColored("auto", stdout.isTerminal, environment));
    const root = new Parser("whippet")
      .enablePositionalOptions()
      .exitOverride()
      // What has colour and what has none is decided here, not there.
      .configureOutput({ ...output, getOutHasColors: () => true, getErrHasColors: () => true })
      .helpCommand(false)
      .version(`whippet ${this.#version}`, "-V, --version")
      .showSuggestionAfterError();
    root.helpInformation = () => overview(this.#version, wordGroups, isLong, styles);
    for (const given of [...Object.values(originalOptions), ...Object.values(everywhereOptions), ...ignoredOptions]) {
      root.addOption(parserOption(given));
    }
    const { generate } = originalOptions;
    root.action(() => {
      const shell = generate.read(textsOf(root, generate));
      const [unknown] = root.args;
      if (shell !== undefined && unknown === undefined) return this.#completion(root, shell);
      if (unknown === undefined) return root.error("error: no command is given; see whippet --help");
      return root.error(
        `error: ${unknownWord(
          unknown,
          words.map(({ word }) => word),
          "whippet",
        )}`,
      );
    });
    root.allowExcessArguments();
    for (const word of words) {
      const node = root.command(word.word).description(word.summary).helpCommand(false);
      if (word.alias !== undefined) node.alias(word.alias);
    }
    root.hook("preSubcommand", async (_, node) => {
      const word = words.find((candidate) => candidate.word === node.name());
      if (word !== undefined) await this.#fill(root, node, word, isLong);
    });
    return root;
  }

  /** Adds what is behind a word. */
  async #fill(root: Parser, node: Parser, word: Word, isLong: boolean): Promise<void> {
    if (word.load === undefined) {
      root.error(`error: nothing may stand before ${word.word}: it is a program with options of its own`);
    }
    const { environment, stdout } = this.#host;
    const styles = stylesOf(isColored("auto", stdout.isTerminal, environment));
    const commands = await word.load();
    const whole = commands.find((command) => command.words.length === 1);
    for (const command of commands) {
      const leaf = command === whole ? node : node.command(command.words.at(-1) ?? "");
      leaf.description(command.summary);
      if (command !== whole && command.alias !== undefined) leaf.alias(command.alias);
      leaf.helpInformation = () => commandHelp(command, isLong, styles);
      // What is too much is refused: `stream delete my orders` must not delete the stream "my". The parser hands `root`'s leave down.
      leaf.allowExcessArguments(false).showHelpAfterError(`  Usage: ${usageOf(command)}`);
      addParameters(leaf, command);
      leaf.action(() => this.#run(root, leaf, command));
    }
    if (whole !== undefined) return;
    node.helpInformation = () => wordHelp(word, commands, styles);
    node.allowExcessArguments().action(() => {
      const [unknown] = node.args;
      const program = `whippet ${word.word}`;
      if (unknown === undefined) return root.error(`error: ${word.word} needs a command; see ${program} --help`);
      const known = commands.map((command) => command.words.at(-1) ?? "");
      return root.error(`error: ${unknownWord(unknown, known, program)}`);
    });
  }

  /** `--generate SHELL` is the command `completion`. */
  async #completion(root: Parser, shell: string): Promise<void> {
    await root.parseAsync(["completion", shell], { from: "user" });
  }

  async #run(root: Parser, leaf: Parser, command: Command): Promise<void> {
    const options = globalOptions(root, leaf, command);
    const output = this.#output(options);
    const session = new Session(this.#host, options, output);
    let args: Readonly<Record<string, unknown>> | undefined;
    let client: Client | undefined;
    try {
      args = valuesOf(leaf, command);
      if (command.kind === "server") {
        client = await session.connect({ logsIn: command.needs === "login", lasts: command.lasts === true });
        this.#exitCode = (await command.run(client, args, output, session)) ?? ExitCode.done;
      } else {
        this.#exitCode = (await command.run(args, output, session)) ?? ExitCode.done;
      }
    } catch (error) {
      const right = command.kind === "server" && args !== undefined ? command.right?.(args) : undefined;
      this.#exitCode = await this.#fail(error, { session, client, args: args ?? {}, right }, output);
    } finally {
      await client?.close();
      await session.close();
    }
    if (this.#host.signal.aborted) this.#exitCode = ExitCode.interrupted;
  }

  async #fail(
    error: unknown,
    facts: Omit<Circumstances, "target" | "username"> & { readonly session: Session },
    output: Output,
  ): Promise<number> {
    if (error instanceof Interrupted || this.#host.signal.aborted) {
      await output.say("Interrupted.");
      return ExitCode.interrupted;
    }
    const { session, client } = facts;
    const username = client?.server.username ?? session.username;
    const { message, hints, exitCode } = await problemOf(error, { ...facts, username, target: session.knownTarget });
    await output.problem(message, hints);
    return exitCode;
  }

  #output(options: GlobalOptions): Output {
    const { stdout, stderr, environment, nowMs, page } = this.#host;
    const format: Format = options.json ? "json" : (options.format ?? "table");
    const color = options.color ?? "auto";
    const pagerCommand = environment.WHIPPET_PAGER ?? environment.PAGER ?? "less -FRX";
    const hasPager = stdout.isTerminal && !options.noPager && pagerCommand !== "" && pagerCommand !== "cat";
    return new Output({
      stdout,
      stderr,
      format,
      isQuiet: options.quiet,
      styles: stylesOf(isColored(color, stdout.isTerminal, environment)),
      problemStyles: stylesOf(isColored(color, stderr.isTerminal, environment)),
      pager: hasPager ? (text) => page(pagerCommand, text) : undefined,
      nowMs,
    });
  }
}

function unknownWord(word: string, known: readonly string[], program: string): string {
  const near = nearestName(word, known);
  const guess = distanceOf(word, near) <= 2 ? ` Did you mean ${near}?` : "";
  return `"${word}" is no command of ${program}.${guess} See ${program} --help`;
}

/** `help topic create` is `topic create --help`. */
function withoutHelpWord(args: readonly string[]): string[] {
  return args[0] === "help" ? [...args.slice(1), "--help"] : [...args];
}

function parserOption({ flags, doc, arity, isIgnored }: Option<unknown>): ParserOption {
  const parserFlags = arity === "many" ? flags.replace(/>$/, "...>") : flags;
  const made = new ParserOption(parserFlags, doc).hideHelp(isIgnored);
  if (arity === "each") {
    made.argParser((value: string, earlier: unknown) => [...(Array.isArray(earlier) ? earlier : []), value]);
  }
  return made;
}

function addParameters(leaf: Parser, command: Command): void {
  for (const [name, argument] of Object.entries(command.arguments)) {
    const brackets = { one: `<${kebab(name)}>`, optional: `[${kebab(name)}]`, many: `[${kebab(name)}...]` };
    leaf.addArgument(new ParsedArgument(brackets[argument.arity], argument.doc));
  }
  const own = Object.values(command.options);
  for (const given of own) leaf.addOption(parserOption(given));
  for (const given of behindOptions(own)) leaf.addOption(parserOption(given));
}

/** Options of the program that may stand behind a command with the options `own`. */
function behindOptions(own: readonly Option<unknown>[]): Option<unknown>[] {
  return withoutThoseOf(own, [originalOptions.quiet, ...Object.values(everywhereOptions)]);
}

/** What was given for an option, as texts; undefined if nothing was. */
function textsOf(parser: Parser, given: Option<unknown>): readonly string[] | undefined {
  const option = new ParserOption(given.flags);
  const name = option.attributeName();
  if (parser.getOptionValueSource(name) !== "cli") return undefined;
  const value: unknown = parser.getOptionValue(name);
  if (Array.isArray(value)) return value.map(String);
  return value === true || value === false ? [] : [String(value)];
}

function readOption(parsers: readonly Parser[], given: Option<unknown>): unknown {
  const texts = parsers.map((parser) => textsOf(parser, given)).find((found) => found !== undefined);
  return withName(`${flagNames(given.flags).at(-1)} "${texts?.join(" ") ?? ""}"`, () => given.read(texts));
}

/** The value, or a sentence about it that begins with its name. */
function withName<T>(name: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new UsageError(`${name} ${error.message}`);
  }
}

function globalOptions(root: Parser, leaf: Parser, command: Command): GlobalOptions {
  const behind = new Set(behindOptions(Object.values(command.options)));
  const all: Options = { ...originalOptions, ...everywhereOptions };
  const entries = Object.entries(all).map(([name, given]) => [
    name,
    readOption(behind.has(given) ? [leaf, root] : [root], given),
  ]);
  // Each value was read by the definition that its type is inferred from.
  return Object.fromEntries(entries) as GlobalOptions;
}

function valuesOf(leaf: Parser, command: Command): Readonly<Record<string, unknown>> {
  const places = Object.entries(command.arguments).map(([name, argument], index): [string, unknown] => {
    const given: unknown = leaf.processedArgs[index];
    const texts = Array.isArray(given) ? given.map(String) : given === undefined ? [] : [String(given)];
    return [name, withName(`<${kebab(name)}> "${texts.join(" ")}"`, () => argument.read(texts))];
  });
  const options = Object.entries(command.options).map(([name, given]): [string, unknown] => [
    name,
    readOption([leaf], given),
  ]);
  return Object.fromEntries([...places, ...options]);
}
