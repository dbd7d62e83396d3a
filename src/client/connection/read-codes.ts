// Which commands change nothing, so that they may be sent a second time. A poll may store an offset: its caller says.

import { CommandCode, commandNameOf } from "../../protocol/codes.ts";
import { extensionNameOf } from "../../protocol/extensions/codes.ts";

/** Whether it is a ping, or one of those whose names begin with `get`: they are the ones that only read. */
export function isRead(code: number): boolean {
  const name = commandNameOf(code) ?? extensionNameOf(code);
  return code === CommandCode.ping || name?.startsWith("get") === true;
}
