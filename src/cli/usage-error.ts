/** The command line is wrong: exit code 2. The message is a sentence without the program's name. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}
