// Streams (spec BP 4.7, SB 5).
import { entriesById, findStream } from "../../metadata/index.ts";
import { command } from "../command.ts";
import { streamDetails, streamHeader } from "../views.ts";

export const streamCommands = [
  command("getStream", ({ shard }, _session, { stream: identifier }) => {
    const stream = findStream(shard.state, identifier);
    return stream && streamDetails(shard.counters, stream);
  }),

  command("getStreams", ({ shard }) =>
    entriesById(shard.state.streams).map((stream) => streamHeader(shard.counters, stream)),
  ),

  command("createStream", async ({ shard }, _session, request) => {
    const event = await shard.control({ kind: "createStream", request });
    if (event.kind !== "streamCreated") return undefined;
    return {
      id: event.streamId,
      createdAtMicros: BigInt(event.createdAtMicros),
      topicsCount: 0,
      sizeBytes: 0n,
      messagesCount: 0n,
      name: event.name,
    };
  }),

  command("updateStream", async ({ shard }, _session, request) => {
    await shard.control({ kind: "updateStream", request });
    return undefined;
  }),

  command("deleteStream", async ({ shard }, _session, request) => {
    await shard.control({ kind: "deleteStream", request });
    return undefined;
  }),

  command("purgeStream", async ({ shard }, _session, request) => {
    await shard.control({ kind: "purgeStream", request });
    return undefined;
  }),
];
