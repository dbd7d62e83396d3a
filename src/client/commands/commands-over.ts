// The methods of a client, one for each command of the protocol's table. What is behind them is loaded when the first is called.

import { CommandCode } from "../../protocol/codes.ts";
import { ExtensionCode } from "../../protocol/extensions/codes.ts";
import type { Exchange } from "./command.ts";
import type { Commands } from "./commands.ts";
import type { MethodName } from "./methods.ts";

/** Methods that are not called as their command is. */
const renamed: Readonly<Record<string, string>> = {
  getFeatures: "features",
  loginUser: "login",
  loginWithPersonalAccessToken: "loginWithToken",
  logoutUser: "logout",
};

let loading: Promise<typeof import("./methods.ts")> | undefined;

/** Every command as a method that sends it by `exchange`. Calls leave in their order. */
export function commandsOver(exchange: Exchange): Commands {
  const call = async (name: MethodName, values: readonly unknown[]): Promise<unknown> => {
    loading ??= import("./methods.ts");
    const { methods } = await loading;
    return Reflect.apply(methods[name], undefined, [exchange, ...values]);
  };
  const commandNames = [...Object.keys(CommandCode), ...Object.keys(ExtensionCode)];
  const names = commandNames.map((name) => (renamed[name] ?? name) as MethodName);
  const entries = names.map((name) => [name, (...values: readonly unknown[]) => call(name, values)]);
  return { exchange, ...Object.fromEntries(entries) };
}
