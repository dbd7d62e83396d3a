// Fetches and compiles what the tests of this folder run, in advance: `npm test` begins with it, at a low priority, so that it is
// done when their turn comes. A tool that is missing is no error here: the tests say so.
import { prepareJava } from "./java-environment.ts";
import { preparePython } from "./python-environment.ts";
import { prepareRust } from "./rust-environment.ts";

const environments = [
  preparePython("apache-iggy", "0.8.0"),
  preparePython("apache-iggy", "0.9.0"),
  prepareJava(),
  prepareRust(),
];
for (const environment of environments) if (environment.kind === "missing") console.log(environment.reason);
