// Streams (spec BP 4.7).

import { CommandCode } from "../protocol/codes.ts";
import type { StreamDetails } from "../protocol/records/stream-details.ts";
import type { StreamHeader } from "../protocol/records/stream-header.ts";
import { commandCodecs } from "../protocol/registry.ts";
import { type IdentifierInput, identifierOf } from "./identifiers.ts";
import { TokenCommands } from "./token-commands.ts";

export abstract class StreamCommands extends TokenCommands {
  getStreams(): Promise<readonly StreamHeader[]> {
    return this.run(CommandCode.getStreams, commandCodecs.getStreams, undefined);
  }

  getStream(stream: IdentifierInput): Promise<StreamDetails | undefined> {
    return this.find(CommandCode.getStream, commandCodecs.getStream, { stream: identifierOf(stream) });
  }

  createStream(name: string): Promise<StreamHeader> {
    return this.run(CommandCode.createStream, commandCodecs.createStream, { name });
  }

  updateStream(stream: IdentifierInput, name: string): Promise<void> {
    return this.run(CommandCode.updateStream, commandCodecs.updateStream, { stream: identifierOf(stream), name });
  }

  deleteStream(stream: IdentifierInput): Promise<void> {
    return this.run(CommandCode.deleteStream, commandCodecs.deleteStream, { stream: identifierOf(stream) });
  }

  purgeStream(stream: IdentifierInput): Promise<void> {
    return this.run(CommandCode.purgeStream, commandCodecs.purgeStream, { stream: identifierOf(stream) });
  }
}
