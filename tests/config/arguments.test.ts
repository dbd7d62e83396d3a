import { describe, expect, test } from "bun:test";
import { ArgumentError, helpText, parseArguments } from "../../src/config/arguments.ts";
import { displayedConfig } from "../../src/config/environment.ts";

const none = {
  fresh: false,
  withDefaultRootCredentials: false,
  resetRootPassword: false,
  follower: false,
  configProvider: "file",
};
const start = (...argv: string[]) => parseArguments(argv, "1.2.3");

describe("command line", () => {
  test.each([
    ["", {}],
    ["-f", { fresh: true }],
    ["--fresh --follower", { fresh: true, follower: true }],
    ["--with-default-root-credentials", { withDefaultRootCredentials: true }],
    ["--reset-root-password", { resetRootPassword: true }],
    ["-c other", { configProvider: "other" }],
    ["-cother", { configProvider: "other" }],
    ["-c=other", { configProvider: "other" }],
    ["--config-provider other", { configProvider: "other" }],
    ["--config-provider=other -f", { configProvider: "other", fresh: true }],
  ])("%j", (line, changed) => {
    const argv = line === "" ? [] : line.split(" ");
    expect(start(...argv)).toEqual({ kind: "start", arguments: { ...none, ...changed } });
  });

  test.each([
    [["--fesh"], "unknown option --fesh; did you mean --fresh"],
    [["-x"], "unknown option -x"],
    [["start"], "unexpected argument start"],
    [["--config-provider"], "--config-provider needs a value"],
    [["--fresh=yes"], "--fresh takes no value"],
  ])("%j is refused with exit code 2", (argv, message) => {
    try {
      start(...argv);
      throw new Error("accepted");
    } catch (error) {
      if (!(error instanceof ArgumentError)) throw error;
      expect(error.exitCode).toBe(2);
      expect(error.message).toStartWith(message);
    }
  });

  test.each(["--version", "-V"])("%s prints the version", (option) =>
    expect(start(option)).toEqual({ kind: "text", text: "whippet 1.2.3\n" }));

  test.each(["--help", "-h"])("%s prints the help text", (option) =>
    expect(start(option)).toEqual({ kind: "text", text: helpText("1.2.3") }));

  test("the help text teaches options, variables, the file and the keys", () => {
    const text = helpText("1.2.3");
    for (const part of [
      "-c, --config-provider <name>",
      "-f, --fresh",
      "IGGY_CONFIG_PATH",
      "IGGY_ROOT_PASSWORD",
      "config.toml",
      "Examples:",
      'system.segment.size = "1 GiB"',
      "cluster.node.others[].ports.tcp",
    ]) {
      expect(text).toContain(part);
    }
  });
});

test.each([
  [undefined, "given"],
  ["1", "all"],
  ["true", "all"],
  ["0", "none"],
  ["no", "none"],
] as const)("IGGY_DISPLAY_CONFIG=%p", (value, shown) =>
  expect(displayedConfig({ IGGY_DISPLAY_CONFIG: value })).toBe(shown));
