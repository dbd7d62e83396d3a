// The command line of the server (spec SB 1.6).
import { didYouMean } from "./near.ts";
import { renderKeyList } from "./render.ts";

/** Options of a start. */
export interface ServerArguments {
  /** Delete the directory `system.path` before starting. */
  readonly fresh: boolean;
  /** Root credentials default to iggy / iggy when the environment names none. */
  readonly withDefaultRootCredentials: boolean;
  /** Give the root user that exists a new password. */
  readonly resetRootPassword: boolean;
  /** Report the follower role in the cluster metadata. */
  readonly follower: boolean;
  /** Accepted for compatibility, without effect. */
  readonly configProvider: string;
}

/** What the command line asks for: a start, or a text to print (exit code 0). */
export type ParsedArguments =
  | { readonly kind: "start"; readonly arguments: ServerArguments }
  | { readonly kind: "text"; readonly text: string };

/** The command line cannot be understood; the message names the argument. */
export class ArgumentError extends Error {
  override readonly name = "ArgumentError";
  readonly exitCode = 2;
}

const OPTIONS = [
  { short: "-c", long: "--config-provider", value: "<name>", doc: "Accepted for compatibility; only `file` exists." },
  { short: "-f", long: "--fresh", value: "", doc: "Delete the data directory (system.path) first." },
  {
    short: "",
    long: "--with-default-root-credentials",
    value: "",
    doc: "Root user is iggy / iggy unless IGGY_ROOT_USERNAME and IGGY_ROOT_PASSWORD are set.",
  },
  {
    short: "",
    long: "--reset-root-password",
    value: "",
    doc: "Give root the password in IGGY_ROOT_PASSWORD, or a generated one, and make it active again. For one start.",
  },
  { short: "", long: "--follower", value: "", doc: "Report the follower role in the cluster metadata." },
  { short: "-h", long: "--help", value: "", doc: "Print this text." },
  { short: "-V", long: "--version", value: "", doc: "Print the version." },
] as const;

type LongOption = (typeof OPTIONS)[number]["long"];

function optionLines(): string {
  return OPTIONS.map(({ short, long, value, doc }) => {
    const names = `${short === "" ? "    " : `${short}, `}${long}${value === "" ? "" : ` ${value}`}`;
    return `  ${names}\n          ${doc}`;
  }).join("\n");
}

/** The text of `--help`. */
export function helpText(version: string): string {
  return `whippet ${version}: a persistent message-streaming broker for the clients of Apache Iggy 0.8 and 0.9

Usage: whippet [server] [options]

Options:
${optionLines()}

Examples:
  whippet --fresh --with-default-root-credentials
          An empty broker for trying things out: user iggy, password iggy.
  IGGY_TCP_ADDRESS=0.0.0.0:8090 IGGY_SYSTEM_PATH=/var/lib/whippet whippet
          Listen on every interface, keep data in /var/lib/whippet.
  IGGY_CONFIG_PATH=/etc/whippet/config.toml whippet
          Read that configuration file.

Configuration, later sources win:
  1. the defaults shown below
  2. a TOML file: IGGY_CONFIG_PATH, otherwise config.toml in this directory or the nearest parent
  3. environment variables: IGGY_ + the key in upper case with _ for each dot
     (system.segment.size is IGGY_SYSTEM_SEGMENT_SIZE; lists: [a, b]; list elements: an index from 0 to 9)

Other environment variables:
  IGGY_ROOT_USERNAME, IGGY_ROOT_PASSWORD
          Credentials of the root user, used when it is created; both or none. Later --reset-root-password reads the password.
  IGGY_ENV_PATH
          File with variables; otherwise the nearest .env is read.
  IGGY_DISPLAY_CONFIG
          Anything but 1 or true keeps the configuration out of the log.
  RUST_LOG
          Log filter that wins over system.logging.level: info, or warn,storage=debug, or off.

Exit codes: 0 stopped as asked, 1 failed to start or to run, 2 bad command line.

The real ports stand in {system.path}/{system.runtime.path}/current_config.toml once every transport listens.

Keys and their defaults:
${renderKeyList()}
`;
}

/** Whether an argument is an option of the server's own, with a value or without: then the command line is the server's. */
export function isServerOption(argument: string): boolean {
  const name = argument.split("=", 1)[0] ?? "";
  const own = OPTIONS.filter(({ long }) => long !== "--help" && long !== "--version");
  return own.some(
    ({ short, long }) => name === long || (short !== "" && name.startsWith(short) && !name.startsWith("--")),
  );
}

interface Token {
  readonly long: LongOption;
  /** The value that came with the option itself: `--name=value` or `-cvalue`. */
  readonly attached: string | undefined;
}

function tokenize(argument: string): Token {
  const [name = "", ...rest] = argument.split("=");
  const attached = rest.length === 0 ? undefined : rest.join("=");
  const option = OPTIONS.find(({ short, long }) => name === long || (short !== "" && name === short));
  if (option !== undefined) return { long: option.long, attached };
  if (argument.startsWith("-c")) return { long: "--config-provider", attached: argument.slice(2) };
  if (!argument.startsWith("-")) throw new ArgumentError(`unexpected argument ${argument}; see --help`);
  const names = OPTIONS.map(({ long }) => long);
  throw new ArgumentError(`unknown option ${argument}${didYouMean(name, names)}; see --help`);
}

/** Reads the arguments after the program's name; throws `ArgumentError` for what it does not know. */
export function parseArguments(argv: readonly string[], version: string): ParsedArguments {
  let fresh = false;
  let withDefaultRootCredentials = false;
  let resetRootPassword = false;
  let follower = false;
  let configProvider = "file";
  for (let index = 0; index < argv.length; index++) {
    const { long, attached } = tokenize(argv[index] ?? "");
    if (attached !== undefined && long !== "--config-provider") throw new ArgumentError(`${long} takes no value`);
    switch (long) {
      case "--help":
        return { kind: "text", text: helpText(version) };
      case "--version":
        return { kind: "text", text: `whippet ${version}\n` };
      case "--fresh":
        fresh = true;
        break;
      case "--follower":
        follower = true;
        break;
      case "--reset-root-password":
        resetRootPassword = true;
        break;
      case "--with-default-root-credentials":
        withDefaultRootCredentials = true;
        break;
      case "--config-provider": {
        const value = attached ?? argv[++index];
        if (value === undefined || value === "") throw new ArgumentError(`${long} needs a value such as file`);
        configProvider = value;
        break;
      }
    }
  }
  return {
    kind: "start",
    arguments: { fresh, withDefaultRootCredentials, resetRootPassword, follower, configProvider },
  };
}
