// The program `whippet`: the server, or one of the words for everything else. What a word needs is loaded when it is used.

import packageJson from "../../package.json" with { type: "json" };
import { isServerOption } from "../config/arguments.ts";
import { programs } from "./programs.ts";

const args = process.argv.slice(2);
const [first] = args;
// Names that every object has are no words.
const named = first !== undefined && Object.hasOwn(programs, first) ? programs[first] : undefined;
const program = first === undefined || isServerOption(first) ? programs.server : named;
if (program !== undefined) {
  await program(program === programs.server && first !== "server" ? args : args.slice(1));
} else {
  const { runWhippet } = await import("../cli/main.ts");
  process.exit(await runWhippet(args, packageJson.version));
}
