// Commands of our own, which only this broker answers (docs/protocol-extensions.md).

import { ExtensionCode } from "../protocol/extensions/codes.ts";
import { extensionCodecs } from "../protocol/extensions/registry.ts";
import { ClientCommands } from "./client-commands.ts";

/** What the broker can do beyond 0.8, by the names of docs/protocol-extensions.md. */
export type Features = {
  readonly names: ReadonlySet<string>;
  readonly limits: ReadonlyMap<string, bigint>;
};

export abstract class ExtensionCommands extends ClientCommands {
  /** Asks what the broker can do; InvalidCommand (3) where it is another one. */
  async features(): Promise<Features> {
    const codecs = extensionCodecs.getFeatures;
    const { features, limits } = await this.send(ExtensionCode.getFeatures, codecs.request, undefined, codecs.reply, {
      repeatable: true,
    });
    return { names: new Set(features), limits: new Map(limits.map(({ name, value }) => [name, value])) };
  }
}
