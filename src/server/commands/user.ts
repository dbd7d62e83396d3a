// Login and logout (spec BP 4.3, SB 7.4).
import { findUser } from "../../metadata/index.ts";
import { IggyError } from "../../protocol/errors.ts";
import { passwordBytesMax, passwordBytesMin, userNameBytesMax, userNameBytesMin } from "../../protocol/limits.ts";
import { UserStatusCode } from "../../protocol/records/enumerations.ts";
import { verifyPassword } from "../../security/password.ts";
import { command } from "../command.ts";

const utf8 = new TextEncoder();

function isWithin(text: string, bytesMin: number, bytesMax: number): boolean {
  const sizeBytes = utf8.encode(text).byteLength;
  return sizeBytes >= bytesMin && sizeBytes <= bytesMax;
}

export const userCommands = [
  command(
    "loginUser",
    async ({ shard, isShuttingDown }, session, { username, password }) => {
      if (isShuttingDown()) throw new IggyError("Disconnected");
      if (!isWithin(username, userNameBytesMin, userNameBytesMax)) throw new IggyError("InvalidUsername");
      if (!isWithin(password, passwordBytesMin, passwordBytesMax)) throw new IggyError("InvalidPassword");
      const user = findUser(shard.state, { kind: "string", value: username });
      if (user === undefined) throw new IggyError("InvalidCredentials");
      if (user.status !== UserStatusCode.active) throw new IggyError("UserInactive");
      if (!(await verifyPassword(password, user.passwordHash))) throw new IggyError("InvalidCredentials");
      session.userId = user.id;
      return { userId: user.id };
    },
    { needsLogin: false },
  ),

  command("logoutUser", (_context, session) => {
    session.userId = undefined;
    return undefined;
  }),
];
