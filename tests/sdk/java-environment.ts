// The tour in Java with the published SDK and what it depends on, fetched and compiled outside the repository.
import { existsSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { cacheDirectory, failureOf, filesIn, type Tour } from "./tools.ts";

const commandTimeoutMs = 180_000;
const project = join(import.meta.dir, "java/pom.xml");
const sources = filesIn(join(import.meta.dir, "java/src"));

/** Fetches the dependencies and compiles, or finds it done. Takes under ten seconds the first time. */
export function prepareJava(): Tour {
  const directory = cacheDirectory("java", [project, ...sources]);
  const classPath = (root: string) => `${join(root, "classes")}:${join(root, "libraries")}/*`;
  // Little optimization: the tour is over before it would pay.
  const java = ["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"];
  const ready: Tour = { kind: "ready", command: [...java, "-cp", classPath(directory), "tour.Tour"] };

  for (const [tool, option] of [
    ["java", "-version"],
    ["javac", "-version"],
    ["mvn", "--version"],
  ] as const) {
    const missing = failureOf([tool, option], commandTimeoutMs);
    if (missing !== undefined) return { kind: "missing", reason: `${tool} is missing: ${missing}` };
    if (existsSync(directory)) return ready;
  }
  // Made aside and renamed: what stands at the final name is complete, also when two test runs do this at once.
  const temporary = mkdtempSync(`${directory}-making-`);
  try {
    const libraries = `-DoutputDirectory=${join(temporary, "libraries")}`;
    const fetch = [
      "mvn",
      "-q",
      "-B",
      "-f",
      project,
      "dependency:copy-dependencies",
      "-DincludeScope=runtime",
      libraries,
    ];
    const notFetched = failureOf(fetch, commandTimeoutMs);
    if (notFetched !== undefined) return { kind: "missing", reason: `mvn cannot fetch the SDK: ${notFetched}` };
    const output = ["-d", join(temporary, "classes"), "-cp", classPath(temporary)];
    const notCompiled = failureOf(["javac", "--release", "17", ...output, ...sources], commandTimeoutMs);
    if (notCompiled !== undefined) return { kind: "missing", reason: `javac cannot compile the tour: ${notCompiled}` };
    if (!existsSync(directory)) renameSync(temporary, directory);
    return ready;
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}
