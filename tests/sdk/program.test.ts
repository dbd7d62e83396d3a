// What a test says about a program that fails or hangs: how far it came, and all that it printed until then.
import { expect, test } from "bun:test";
import { runProgram } from "./program.ts";

const server = { log: "line of the server\n", hasEnded: false };

/** A program that reports two steps and then does `end`. */
const program = (end: string) => ["sh", "-c", `echo "ok first"; echo "ok second"; echo problem >&2; ${end}`];

const run = (end: string, timeoutMs: number) => runProgram(program(end), { name: "the tour", server, timeoutMs });

const messageOf = async (running: Promise<string>): Promise<string> => {
  const error = await running.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof Error)) throw new Error(`no error but ${error}`);
  return error.message;
};

test("what a program prints is returned if it ends with 0", async () => {
  expect(await run("exit 0", 60_000)).toBe("ok first\nok second\n");
});

test("a program that hangs is killed, and the error has its last step first and its output last", async () => {
  const message = await messageOf(run("exec sleep 120", 1_500));
  expect(message).toMatch(
    /^the tour was killed after [1-9]\d*\.\d s, the last step was "second"\nserver:\nline of the server\n/,
  );
  expect(message).toEndWith("the tour:\nok first\nok second\nproblem\n");
});

test("a program that fails is not said to be killed", async () => {
  expect(await messageOf(run("exit 3", 60_000))).toStartWith("the tour ended with 3 after ");
  expect(await messageOf(run("kill -SEGV $$", 60_000))).toStartWith("the tour ended with SIGSEGV after ");
});
