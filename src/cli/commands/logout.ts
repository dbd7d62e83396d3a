// `whippet logout`: the token of the login is removed here and on the server.

import { IggyError } from "../../protocol/errors.ts";
import { type Command, localCommand } from "../command.ts";
import { sessionService, sessionTokenName } from "../credentials.ts";
import { Problem } from "../problem.ts";

const logout = localCommand({
  words: ["logout"],
  summary: "Log out: the token of the login is removed, here and on the server",
  examples: ["logout", "--context prod logout"],
  async run(_, output, session) {
    const { address } = await session.target();
    const service = sessionService(address);
    if ((await session.credentials.get(service, sessionTokenName)) === undefined) {
      return output.say(`Nobody is logged in at ${address}.`);
    }
    const isGone = await removeThere();
    await session.credentials.forget(service, sessionTokenName);
    await output.say(
      isGone ? "Logged out; the token is removed here and on the server." : "Logged out; the token had ended already.",
    );

    /** False where the server does not know the token any more. */
    async function removeThere(): Promise<boolean> {
      try {
        const client = await session.connect();
        try {
          await client.deletePersonalAccessToken(sessionTokenName);
          return true;
        } finally {
          await client.close();
        }
      } catch (error) {
        const isKnown = error instanceof Problem && error.exitCode === 4;
        if (isKnown || IggyError.is(error, "ResourceNotFound")) return false;
        throw error;
      }
    }
  },
});

export const commands: readonly Command[] = [logout];
