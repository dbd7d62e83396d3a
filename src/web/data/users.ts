// Users by their ids, as far as the user who is signed in may see them.
import { type ConsoleBroker, IggyError } from "../../client/console-client.ts";

/** Names by id; empty for who may not list users. Errors: those of the command. */
export async function userNames(from: ConsoleBroker): Promise<ReadonlyMap<number, string>> {
  try {
    return new Map((await from.getUsers()).map(({ id, username }) => [id, username]));
  } catch (error) {
    if (IggyError.is(error, "Unauthorized")) return new Map();
    throw error;
  }
}
