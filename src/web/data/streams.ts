// Streams and topics as a user may see them.
import { type ConsoleBroker, IggyError, type Permissions, type StreamHeader } from "../../client/console-client.ts";

/** All streams; of a user who may not list them, those that the own permissions name. Errors: those of the commands. */
export async function visibleStreams(
  from: ConsoleBroker,
  permissions: Permissions | null,
): Promise<readonly StreamHeader[]> {
  try {
    return await from.getStreams();
  } catch (error) {
    if (!IggyError.is(error, "Unauthorized")) throw error;
  }
  const found = await Promise.all((permissions?.streams ?? []).map(({ streamId }) => visibleStream(from, streamId)));
  return found.filter((stream) => stream !== undefined);
}

async function visibleStream(from: ConsoleBroker, streamId: number): Promise<StreamHeader | undefined> {
  try {
    return await from.getStream(streamId);
  } catch (error) {
    if (IggyError.is(error, "Unauthorized")) return undefined;
    throw error;
  }
}
