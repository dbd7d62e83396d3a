// The command line of the doctor.

export interface DoctorArguments {
  /** Undefined: the one that is configured. */
  readonly directory: string | undefined;
  readonly isLive: boolean;
  readonly repairs: boolean;
  readonly isJson: boolean;
}

/** The command line cannot be understood; the message says what is wrong. */
export class DoctorArgumentError extends Error {
  override readonly name = "DoctorArgumentError";
}

export const doctorHelp = `Usage: whippet doctor [options] [DIR]

Looks at a data directory, system.path if DIR is not given: checksums, offsets, times, indexes, segments, metadata, stored
offsets, directories that nothing names, certificates, permissions, room. Reads only. The broker must be stopped.

Options:
      --live    The broker runs there: what it is writing is not judged.
      --repair  Do what a start would do, in sealed segments too, after a copy of what is cut or overwritten.
      --json    One object for each finding, one a line.
  -h, --help    Print this text.

The names of directories and system.encryption.key come from the configuration, as for the server.
Exit codes: 0 sound, 6 damage, 1 it could not be looked at, 2 the command line is wrong.
`;

/** `"help"`: to print. Throws `DoctorArgumentError`. */
export function parseDoctorArguments(given: readonly string[]): DoctorArguments | "help" {
  const directories: string[] = [];
  const options = new Set<string>();
  for (const argument of given) {
    if (argument === "-h" || argument === "--help") return "help";
    if (["--live", "--repair", "--json"].includes(argument)) options.add(argument);
    else if (argument.startsWith("-")) throw new DoctorArgumentError(`there is no option ${argument}`);
    else directories.push(argument);
  }
  if (directories.length > 1) throw new DoctorArgumentError("one directory at a time");
  if (options.has("--live") && options.has("--repair")) {
    throw new DoctorArgumentError("--repair needs the directory for itself: not with --live");
  }
  return {
    directory: directories[0],
    isLive: options.has("--live"),
    repairs: options.has("--repair"),
    isJson: options.has("--json"),
  };
}
