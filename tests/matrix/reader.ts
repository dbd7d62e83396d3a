// The limited user of the scenario, as the binary protocol has its flags.
import { noGlobalRights } from "../support/permissions.ts";

/** May look at streams and topics and poll. */
export const readerFlags = { ...noGlobalRights, readStreams: true, readTopics: true, pollMessages: true };
