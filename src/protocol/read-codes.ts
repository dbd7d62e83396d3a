// Which commands change nothing: they may be sent a second time when a reply was lost, and a session that may only read may ask
// for them. A poll may store an offset: who asks for one says whether it does.

import { CommandCode, commandNameOf } from "./codes.ts";
import { extensionNameOf } from "./extensions/codes.ts";

/** Whether it is a ping, or one of those whose names begin with `get`: they are the ones that only read. */
export function isRead(code: number): boolean {
  const name = commandNameOf(code) ?? extensionNameOf(code);
  return code === CommandCode.ping || name?.startsWith("get") === true;
}
