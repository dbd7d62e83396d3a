// Every command of our own, by code (docs/protocol-extensions.md).
import { ExtensionCode } from "../../protocol/extensions/codes.ts";
import type { Extension } from "./extension.ts";
import { getFeatures } from "./features.ts";

const extensions: readonly Extension[] = [getFeatures];

export const extensionTable: ReadonlyMap<number, Extension> = new Map(
  extensions.map((extension) => [ExtensionCode[extension.name], extension]),
);
